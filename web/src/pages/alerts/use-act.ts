/** One-click changes of a page: a refusal is kept for display, and lists are refetched. */
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';

interface Act {
  /** The server's refusal of the last change; null for none. */
  readonly refused: string | null;
  readonly act: (method: 'POST' | 'DELETE', path: string, body?: object) => Promise<boolean>;
}

/** @param listed key prefix of the queries to refetch */
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
