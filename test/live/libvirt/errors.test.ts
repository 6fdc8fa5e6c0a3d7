import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../core/errors.ts';
import { LibvirtError, type LibvirtFailure } from '../../../live/libvirt/errors.ts';
import { loadLibvirt } from '../../../live/libvirt/ffi.ts';

const failure = (over: Partial<LibvirtFailure>): LibvirtFailure => ({
  code: 1,
  domain: 10,
  message: 'the words of libvirt',
  errno: 0,
  call: 'virDomainSetMemoryFlags',
  alive: true,
  ...over,
});
const open = { call: 'virConnectOpen', alive: false };

describe('a failed libvirt call', () => {
  it("keeps libvirt's number, part and words, and says where and what to do", () => {
    const error = new LibvirtError(failure({ code: 42, message: 'Domain not found' }), 'web-1 memory');
    expect(error.failure.code).toBe(42);
    expect(error.message).toContain('Domain not found [libvirt error 42, domain 10]');
    expect(error.message).toContain('(web-1 memory)');
    expect(error.message).toContain('remedy: ');
  });

  it.each([
    ['no such domain', { code: 42 }, 'LIBVIRT_NO_DOMAIN', EXIT.usage],
    ['a read-only connection', { code: 29 }, 'LIBVIRT_READ_ONLY', EXIT.runtime],
    ['a refused sign-in', { code: 45, ...open }, 'LIBVIRT_NO_PERMISSION', EXIT.runtime],
    ['no polkit agent', { code: 94, ...open }, 'LIBVIRT_NO_PERMISSION', EXIT.runtime],
    ['a socket of others (EACCES)', { code: 38, errno: 13, ...open }, 'LIBVIRT_NO_PERMISSION', EXIT.runtime],
    ['no socket (ENOENT)', { code: 38, errno: 2, ...open }, 'LIBVIRT_UNREACHABLE', EXIT.runtime],
    ['nobody listening', { code: 38, errno: 111, ...open }, 'LIBVIRT_UNREACHABLE', EXIT.runtime],
    ['a URI that cannot be parsed', { code: 1, domain: 45, ...open }, 'LIBVIRT_BAD_URI', EXIT.usage],
    ['a driver that does not exist', { code: 5, ...open }, 'LIBVIRT_BAD_URI', EXIT.usage],
    ['a connection that broke', { code: 1, alive: false }, 'LIBVIRT_DISCONNECTED', EXIT.runtime],
    ['a broken pipe', { code: 38, errno: 32, alive: false }, 'LIBVIRT_DISCONNECTED', EXIT.runtime],
    ['a domain that is shut off', { code: 55 }, 'LIBVIRT_NOT_POSSIBLE_NOW', EXIT.runtime],
    ['a domain held by another job', { code: 68 }, 'LIBVIRT_BUSY', EXIT.runtime],
    ['a driver without the call', { code: 3 }, 'LIBVIRT_UNSUPPORTED', EXIT.runtime],
    ['a value out of range', { code: 8 }, 'LIBVIRT_BAD_ARGUMENT', EXIT.runtime],
    ['a code nobody here knows', { code: 4711 }, 'LIBVIRT_FAILED', EXIT.runtime],
  ])('%s has its code and exit code', (_, over, code, exit) => {
    const error = new LibvirtError(failure(over));
    expect([error.code, error.exitCode]).toEqual([code, exit]);
  });

  it('a missing library is told apart from a missing daemon', async () => {
    await expect(loadLibvirt('libvirt-that-is-not-here.so.0')).rejects.toMatchObject({
      code: 'LIBVIRT_MISSING',
      exitCode: EXIT.runtime,
    });
  });
});
