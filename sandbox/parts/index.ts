import { placesOf } from '../layout';
import { backups } from './backups';
import { database } from './database';
import { dns, route53 } from './dns';
import { drill } from './drill';
import { etcd } from './etcd';
import { haproxy } from './haproxy';
import { journal } from './journal';
import { alertmanager, prometheus } from './monitoring';
import { nodes } from './nodes';
import { notifications } from './notifications';
import type { Context, Part } from './part';
import { redis } from './redis';
import { registry } from './registry';
import { sentinel } from './sentinel';
import { sessions } from './sessions';
import { server, worker } from './switchover';
import { temporal } from './temporal';

/** Every part a sandbox of this context can have, wanted or not, in the order people read them. */
export function allParts(context: Context): Part[] {
  const regions = placesOf(context.settings).map(({ name }) => name);
  return [
    temporal(context),
    journal(context),
    context.settings.sentinel ? sessions(context) : redis(context),
    sentinel(context),
    registry(context),
    etcd(context),
    database(context),
    backups(context),
    notifications(context),
    ...regions.map((region) => nodes(context, region)),
    ...regions.map((region) => haproxy(context, region)),
    drill(context),
    route53(context),
    dns(context),
    alertmanager(context),
    prometheus(context),
    ...regions.map((region) => worker(context, region)),
    server(context),
  ];
}
