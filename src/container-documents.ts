import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Bus } from './events/bus.js';
import type { Clock } from './lib/clock.js';
import { CoBrowsingResolver } from './resolvers/co-browsing.js';
import { AwarenessChangedResolver, ChatDocumentsResolver, DocumentChangedResolver, DocumentResolver } from './resolvers/documents.js';
import type { Rates } from './server/limits/rates.js';
import { BrowsingService } from './services/documents/browsing.js';
import { AWARENESS_A_MINUTE, DocumentUpdateService, UPDATES_A_MINUTE } from './services/documents/document-updates.js';
import { DocumentService } from './services/documents/documents.js';
import { Replicas } from './services/documents/replicas.js';
import { WhiteboardWriter } from './services/documents/whiteboard-writer.js';

export interface DocumentDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  bus: Bus;
  clock: Clock;
  rates: Rates;
}

/** The part of the container that is about documents which several people change at once. */
export function makeDocuments({ db, unitOfWork, bus, clock, rates }: DocumentDeps): { documents: DocumentService; replicas: Replicas; resolvers: object[] } {
  const replicas = new Replicas();
  const documents = new DocumentService(db.sql, unitOfWork, bus, replicas);
  const limits = {
    updates: rates.limiter('document-updates', { points: UPDATES_A_MINUTE, seconds: 60 }),
    awareness: rates.limiter('awareness', { points: AWARENESS_A_MINUTE, seconds: 60 }),
  };
  const browsing = new BrowsingService(db.sql, unitOfWork, bus, limits);
  const updates = new DocumentUpdateService(db.sql, bus, clock, new WhiteboardWriter(unitOfWork, replicas, bus), browsing, limits);
  return {
    documents,
    replicas,
    resolvers: [new DocumentResolver(documents, updates), new ChatDocumentsResolver(documents), new CoBrowsingResolver(documents, browsing), new DocumentChangedResolver(), new AwarenessChangedResolver()],
  };
}
