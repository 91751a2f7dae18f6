import type { FastifyRequest } from 'fastify';
import { DomainError } from '../lib/errors.js';
import type { OperationRequest } from './documents.js';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const bad = (message: string): DomainError => new DomainError('BAD_REQUEST', message);

/** Reads an operation from a POST's JSON body or a GET's query string. Throws BAD_REQUEST. */
export function readRequest(request: FastifyRequest): OperationRequest {
  if (request.method === 'GET') return fromQuery(new URLSearchParams(request.url.replace(/^[^?]*\??/, '')));
  if (Array.isArray(request.body)) throw bad('One operation a request: lists of them are not taken.');
  if (!isObject(request.body)) throw bad('The body is a JSON object with query (or documentId), variables, operationName and extensions.');
  return readOperation(request.body);
}

/** A name (GraphQL, 2.1.9); each is kept with what was made of its document. */
const NAME = /^[_A-Za-z]\w{0,255}$/;

/** Checks the parameters of an operation, as GraphQL over HTTP names them. Throws BAD_REQUEST. */
export function readOperation(given: Record<string, unknown>): OperationRequest {
  for (const name of ['query', 'documentId', 'operationName']) {
    if (given[name] != null && typeof given[name] !== 'string') throw bad(`${name} is a string.`);
  }
  for (const name of ['variables', 'extensions']) {
    if (given[name] != null && !isObject(given[name])) throw bad(`${name} is an object.`);
  }
  const { query, documentId, operationName, variables, extensions } = given as OperationRequest;
  if (operationName && !NAME.test(operationName)) throw bad('operationName is a name of GraphQL, of at most 256 characters.');
  return { query: query ?? null, documentId: documentId ?? null, operationName: operationName ?? null, variables: variables ?? null, extensions: extensions ?? null };
}

function fromQuery(parameters: URLSearchParams): OperationRequest {
  const once = (name: string): string | null => {
    const values = parameters.getAll(name);
    if (values.length > 1) throw bad(`${name} is given more than once.`);
    return values[0] || null;
  };
  const json = (name: string): unknown => {
    const text = once(name);
    try {
      return text === null ? null : JSON.parse(text);
    } catch {
      throw bad(`${name} is a JSON object.`);
    }
  };
  return readOperation({ query: once('query'), documentId: once('documentId'), operationName: once('operationName'), variables: json('variables'), extensions: json('extensions') });
}

/** Headers that no page of another origin can send without asking first: one of them makes a GET safe from forgery. */
export const PREFLIGHT_HEADERS = ['x-apollo-operation-name', 'apollo-require-preflight'];

/** Whether a browser must have asked (by a preflight) before it sent this for a page of another origin. */
export function isPreflighted({ headers }: FastifyRequest): boolean {
  return /^application\/([\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '') || PREFLIGHT_HEADERS.some((name) => Boolean(headers[name]));
}
