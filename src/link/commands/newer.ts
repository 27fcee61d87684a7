/**
 * Commands that the server lacks which table.ts was written from. A command that is in neither counts as a
 * write whose key is its first word, as it is with nearly all commands of modules.
 *
 * Sources: the published command tables of Redis 7.4 to 8.10 and of Valkey 8.0.
 */
import type { CommandRow } from './keys.ts'

export const NEWER_COMMANDS: readonly CommandRow[] = [
  {
    kind: 'read',
    denyOom: false,
    keys: '',
    names: `
      CLIENT CAPA, CLIENT NO-TOUCH, CLIENT SETINFO, CLUSTER MYSHARDID, CLUSTER SLOT-STATS, COMMANDLOG, COMMANDLOG GET,
      COMMANDLOG HELP, COMMANDLOG LEN, COMMANDLOG RESET, HOTKEYS, HOTKEYS GET, HOTKEYS HELP, HOTKEYS RESET,
      HOTKEYS START, HOTKEYS STOP, SCRIPT SHOW, SENTINEL, WAITAOF,
    `,
  },
  {
    kind: 'read',
    denyOom: false,
    keys: '1',
    names: `
      DIGEST, HEXPIRETIME, HPEXPIRETIME, HPTTL, HTTL, JSON.ARRINDEX, JSON.ARRLEN, JSON.GET, JSON.OBJKEYS, JSON.OBJLEN,
      JSON.STRLEN, JSON.TYPE, VCARD, VDIM, VEMB, VGETATTR, VINFO, VISMEMBER, VLINKS, VRANDMEMBER, VRANGE, VSIM,
    `,
  },
  { kind: 'read', denyOom: false, keys: '1..-2', names: 'JSON.MGET' },
  { kind: 'read', denyOom: false, keys: '#1', names: 'SDIFFCARD, SUNIONCARD' },
  {
    kind: 'write',
    denyOom: false,
    keys: '1',
    names: `
      DELEX, DELIFEQ, HEXPIRE, HEXPIREAT, HGETDEL, HGETEX, HPERSIST, HPEXPIRE, HPEXPIREAT, JSON.DEL, JSON.FORGET,
      VREM, VSETATTR, XACKDEL, XCFGSET, XDELEX, XNACK,
    `,
  },
  { kind: 'write', denyOom: true, keys: '1', names: 'HSETEX, INCREX, JSON.SET, VADD' },
  { kind: 'write', denyOom: true, keys: '1 2', names: 'BLMOVEM, LMOVEM' },
  { kind: 'write', denyOom: true, keys: '#1/2', names: 'MSETEX' },
]
