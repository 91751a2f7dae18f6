# The settings of the servers (docs/OPERATIONS.md).
output "DATABASE_URL" {
  sensitive = true
  value     = "postgres://omnitalk:${random_password.database.result}@${aws_db_instance.this.endpoint}/omnitalk?sslmode=require"
}

output "REDIS_URL" {
  sensitive = true
  value     = "rediss://:${random_password.redis.result}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
}

output "S3_BUCKET" {
  value = aws_s3_bucket.files.id
}

output "S3_REGION" {
  value = var.region
}

output "S3_ACCESS_KEY" {
  value = aws_iam_access_key.files.id
}

output "S3_SECRET_KEY" {
  sensitive = true
  value     = aws_iam_access_key.files.secret
}

output "CDN_URL" {
  value = "https://${aws_cloudfront_distribution.files.domain_name}"
}
