/** An answer as a client sees it. */
export interface Answer<T = any> {
  status: number;
  headers: Headers;
  body: T;
}

export interface RequestOptions {
  token?: string;
  /** Sent as JSON; a `URLSearchParams` as a form; a string as it is. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Gives the request up. */
  signal?: AbortSignal;
}

/** One HTTP request to the application. */
export async function request<T = any>(
  baseUrl: string,
  method: string,
  path: string,
  { token, body, headers = {}, signal }: RequestOptions = {},
): Promise<Answer<T>> {
  const json = body !== undefined && typeof body !== 'string' && !(body instanceof URLSearchParams);
  const response = await fetch(baseUrl + path, {
    method,
    signal,
    headers: {
      ...(json && { 'Content-Type': 'application/json' }),
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: json ? JSON.stringify(body) : (body as BodyInit | undefined),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
}
