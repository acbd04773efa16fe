/** The single cache of server responses. Live events change it in place; see live.ts. */
import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './http.ts';

/** A refusal is final; requests to an unreachable server are retried. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // An expired session shows everywhere at once: refetching the viewer leads to the login page.
      if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== 'me')
        void queryClient.invalidateQueries({ queryKey: ['me'] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => count < 3 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      retryDelay: (count) => Math.min(10_000, 500 * 2 ** count),
    },
  },
});
