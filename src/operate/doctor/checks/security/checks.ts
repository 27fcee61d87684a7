/** The checks about who may come in and what he may do. */
import type { DoctorCheck } from '../../check.ts'
import { certificate } from './certificate.ts'
import { dangerousCommands } from './dangerous-commands.ts'
import { debugCommands } from './debug-commands.ts'
import { deniedLogins } from './denied-logins.ts'
import { knownHoles } from './known-holes.ts'
import { password } from './password.ts'
import { plainText } from './plain-text.ts'
import { protectedModeDenies } from './protected-mode-denies.ts'
import { protectedModeOff } from './protected-mode-off.ts'
import { publicAddress } from './public-address.ts'
import { publishedPassword } from './published-password.ts'

export const SECURITY_CHECKS: readonly DoctorCheck[] = [
  protectedModeDenies,
  password,
  protectedModeOff,
  publishedPassword,
  publicAddress,
  certificate,
  plainText,
  dangerousCommands,
  debugCommands,
  knownHoles,
  deniedLogins,
]
