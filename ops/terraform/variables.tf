variable "name" {
  description = "What everything is called by."
  type        = string
  default     = "omnitalk"
}

variable "region" {
  type = string
}

variable "vpc_id" {
  description = "The network that the servers stand in."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of it, in two zones or more."
  type        = list(string)
}

variable "server_security_group_id" {
  description = "Of the servers: they alone reach the database and Redis."
  type        = string
}

variable "database_class" {
  type    = string
  default = "db.r8g.large"
}

variable "database_gb" {
  type    = number
  default = 100
}

variable "redis_class" {
  type    = string
  default = "cache.r7g.large"
}

variable "app_origins" {
  description = "Where people use the app: browsers there may send files to the bucket."
  type        = list(string)
}

variable "files_origin" {
  description = "Host of FILES_URL, behind which the CDN stands."
  type        = string
}
