import { LibvirtConnection } from './connection.ts';

/** The two connections to one host: one that cannot write, for reading, and one for resizing. */
export interface LibvirtHost {
  readonly telemetry: LibvirtConnection;
  /** Undefined when opened to watch only. */
  readonly control: LibvirtConnection | undefined;
  close(): Promise<void>;
}

/**
 * Connects to a host, each connection in a thread of its own, so that a resize that takes seconds delays no
 * sample. The first runs libvirt's event loop for both, hence the order of opening and closing.
 * @param write false for a dry run: then nothing is opened that could change a VM
 * @throws ForesizeError LIBVIRT_MISSING, LIBVIRT_BAD_URI, LIBVIRT_UNREACHABLE, LIBVIRT_NO_PERMISSION, LIBVIRT_READ_ONLY
 */
export async function openHost(uri: string, write: boolean): Promise<LibvirtHost> {
  const telemetry = await LibvirtConnection.open({ uri, readOnly: true, events: true });
  try {
    const control = write ? await LibvirtConnection.open({ uri, readOnly: false }) : undefined;
    return {
      telemetry,
      control,
      close: async () => {
        await control?.close();
        await telemetry.close();
      },
    };
  } catch (error) {
    await telemetry.close();
    throw error;
  }
}
