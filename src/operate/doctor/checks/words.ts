/** Numbers in words, alike in every finding. */

const KIB = 1024
const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** `1.5 GiB`, `12.0 MiB`, `80 KiB`, `12 B`. */
export function bytesText(bytes: number): string {
  if (bytes >= GIB) return `${(bytes / GIB).toFixed(1)} GiB`
  if (bytes >= MIB) return `${(bytes / MIB).toFixed(1)} MiB`
  return bytes >= KIB ? `${Math.round(bytes / KIB)} KiB` : `${bytes} B`
}
