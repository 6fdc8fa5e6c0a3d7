import type { EventView } from '../server/views.ts';
import { authorization } from './api.ts';

const PAUSES_MS = [500, 1000, 2000, 5000, 15_000];

export interface LiveListener {
  onEvent(event: EventView): void;
  /** The stream stands, or it was cut off and is being opened again. */
  onState(open: boolean): void;
}

/**
 * Follows the event stream for as long as the page lives: read by fetch, since an EventSource cannot send the token. It
 * takes up where it was cut off, by the number of the last event.
 */
export async function follow(listener: LiveListener): Promise<never> {
  let last: number | undefined;
  for (let failures = 0; ; ) {
    try {
      const headers = {
        ...authorization(),
        ...(last === undefined ? {} : { 'last-event-id': String(last) }),
      };
      const reply = await fetch('/api/v1/events/stream', { headers });
      if (!reply.ok || !reply.body) throw new Error(String(reply.status));
      listener.onState(true);
      failures = 0;
      for await (const event of eventsOf(reply.body)) {
        last = event.seq;
        listener.onEvent(event);
      }
    } catch {
      // The pause below comes before the next attempt, whatever the reason.
    }
    listener.onState(false);
    await new Promise((resolve) =>
      setTimeout(resolve, PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)]),
    );
  }
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<EventView> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data) yield JSON.parse(data.slice(6)) as EventView;
    }
  }
}
