export { check } from './check.ts'
export { failureOf } from './diagnosis.ts'
export type { Diagnosis, Layer } from './diagnosis.ts'
export {
  CATALOGUE,
  doctorUserCommand,
  DOCTOR_LAYERS,
  examine,
  PURPOSES,
  readLog,
  readLogStream,
  writeArchive,
} from './doctor/index.ts'
export type {
  DeclaredPurpose,
  DoctorCheck,
  DoctorFinding,
  DoctorReport,
  Exhibits,
  Hints,
  LogSummary,
  Remedy,
  Sighting,
} from './doctor/index.ts'
export { targetOfUrl, targetsOfVariables } from './targets.ts'
export type { Targets } from './targets.ts'
export { checkUntilServed } from './wait.ts'
export { thisHost } from './host.ts'
export type { Host } from './host.ts'
export * from './setup/index.ts'
