export { examineRedis } from './doctor.ts'
export type { DoctorReport } from './report.ts'
