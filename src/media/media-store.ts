/** Where recordings go. */
export interface MediaStore {
  /** Takes over a finished file under this name. Answers the key to find it by. */
  put(name: string, file: string): Promise<{ key: string; bytes: number }>;
}
