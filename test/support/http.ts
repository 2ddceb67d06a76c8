// An HTTP client without any help: it sends what it is given and returns what comes back.

/** The answer to a request. */
export interface Answer<T = any> {
  status: number;
  headers: Headers;
  body: T;
}

export interface RequestOptions {
  token?: string;
  /** An object is sent as JSON, a `URLSearchParams` as a form, a string unchanged. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Aborts the request. */
  signal?: AbortSignal;
}

/** Sends one HTTP request to the application. A JSON body of the answer is parsed. */
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
