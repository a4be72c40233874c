/** File systems: an outbox cannot be on one of a network, where a rename is seen late by other machines. */

import { statfsSync } from "node:fs";

import { OutboxError } from "../../errors.js";

/** Their types on Linux (statfs(2)); elsewhere the numbers mean nothing, and are not looked at. */
const OF_NETWORKS = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB2"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9P"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
]);

/**
 * OutboxError if a directory is on a file system of a network; only Linux can tell.
 * @param {string} directory
 * @param {(directory: string) => { type: number }} [statfs]
 */
export function requireLocal(directory, statfs = statfsSync) {
  if (process.platform !== "linux") return;
  const kind = OF_NETWORKS.get(statfs(directory).type);
  if (kind) throw new OutboxError(`${directory} is on a network file system (${kind}): put the outbox on a local disk`);
}
