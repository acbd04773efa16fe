/** The one cache of what the server said. Live events change it in place; see live.ts. */
import { QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './http.ts';

/** A refusal is final, a server that cannot be reached is asked again. */
export const queryClient: QueryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      // A session that ran out shows everywhere at once: asking who we are leads to the login page.
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
