import { execFileSync } from 'node:child_process';

export interface Probe {
  format: { duration: string; format_name: string };
  streams: { codec_type: string; codec_name: string; width?: number; nb_read_packets: string }[];
}

/** What ffprobe finds in a file. */
export const probe = (file: string): Probe =>
  JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-count_packets', '-show_format', '-show_streams', '-of', 'json', file], { encoding: 'utf8' })) as Probe;
