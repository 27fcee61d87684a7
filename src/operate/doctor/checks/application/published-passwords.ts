/** Passwords that everybody knows: out of documents, examples and the defaults of well-known compose files. */

const PUBLISHED: ReadonlySet<string> = new Set([
  'difyai123456',
  'foobared',
  'redis',
  'redispass',
  'redispassword',
  'redis123',
  'password',
  'passw0rd',
  'password123',
  'mypassword',
  'yourpassword',
  'your_password',
  'your-password',
  'changeme',
  'change-me',
  'change_me',
  'changeit',
  'secret',
  'supersecret',
  'admin',
  'root',
  'test',
  'example',
  'postgres',
  'mysecretpassword',
  '123456',
  '12345678',
  '123456789',
  'qwerty',
  'bitnami',
  'eyVX7EwVmmxKPCDmwMtyKVge8oLd2t81',
])

export function isPublished(password: string): boolean {
  return PUBLISHED.has(password) || PUBLISHED.has(password.toLowerCase())
}
