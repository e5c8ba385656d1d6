// @ts-check
/**
 * What is written down in the audit, by the server's names; a test compares them with the server's own.
 * Not for: what they are called (locales/), who did them (pages/audit.js).
 */
export const ACTIONS = [
  'goods.create', 'goods.update', 'goods.delete', 'goods.stock',
  'order.cancel',
  'user.create', 'user.password', 'user.role', 'user.ban', 'user.unban', 'user.mute', 'user.unmute', 'user.logout',
  'report.mute', 'report.dismiss',
  'source.create', 'source.update', 'source.rotate', 'source.remove', 'source.retry',
  'endpoint.create', 'endpoint.update', 'endpoint.rotate', 'endpoint.remove', 'endpoint.test', 'endpoint.resend', 'endpoint.replay',
  'listen-key.create', 'listen-key.revoke',
  'alerts.change',
];
