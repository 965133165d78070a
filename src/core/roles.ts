/**
 * Roles of the two ends of a connection, in the words of their RFCs. Signalling decides them, ICE and DTLS act on them, and none
 * of these knows of the others.
 */

/** Who sends the ClientHello: the client (RFC 5763 §5). */
export type DtlsRole = 'client' | 'server';

/** Who nominates: the controlling agent (RFC 8445 §6.1.1). */
export type IceRole = 'controlling' | 'controlled';
