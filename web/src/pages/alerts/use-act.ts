/** Changes that a page makes by one press: what was refused stays to be shown, and what is listed is asked for anew. */
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';

interface Act {
  /** What the server said against the last change; null: nothing. */
  readonly refused: string | null;
  readonly act: (method: 'POST' | 'DELETE', path: string, body?: object) => Promise<boolean>;
}

/** @param listed first part of the keys of what is asked for anew */
export function useAct(listed: string): Act {
  const [refused, setRefused] = useState<string | null>(null);
  const act = async (method: 'POST' | 'DELETE', path: string, body: object = {}): Promise<boolean> => {
    let said: string | null = null;
    try {
      await send(method, path, method === 'POST' ? body : undefined);
    } catch (error) {
      said = error instanceof Error ? error.message : String(error);
    }
    setRefused(said);
    await queryClient.invalidateQueries({ queryKey: [listed] });
    return said === null;
  };
  return { refused, act };
}
