import type { Decision, MqttRequest, SinkRequest, SinkResponse } from './api';

export const kinds = ['webhook', 'mqtt', 'folder'] as const;
export type SinkKind = (typeof kinds)[number];
export const decisions = ['normal', 'review', 'anomalous'] as const satisfies readonly Decision[];

/** What is in the form of a sink: numbers as they are typed. */
export interface SinkDraft {
    name: string;
    kind: SinkKind;
    enabled: boolean;
    categories: string;
    decisions: readonly Decision[];
    url: string;
    secret: string;
    allowPrivate: boolean;
    host: string;
    port: string;
    tls: boolean;
    user: string;
    password: string;
    sparkplug: boolean;
    group: string;
    topic: string;
    qos: string;
    retain: boolean;
    images: boolean;
    keepDays: string;
}

export const draftOf = (sink: SinkResponse | undefined): SinkDraft => ({
    name: sink?.name ?? '',
    kind: sink?.mqtt ? 'mqtt' : sink?.folder ? 'folder' : 'webhook',
    enabled: sink?.enabled ?? true,
    categories: sink?.categories?.join(', ') ?? '',
    decisions: sink?.decisions ?? decisions,
    url: sink?.webhook?.url ?? '',
    secret: sink ? '' : newSecret(),
    allowPrivate: sink?.webhook?.allowPrivate ?? false,
    host: sink?.mqtt?.host ?? '',
    port: sink?.mqtt ? String(sink.mqtt.port) : '',
    tls: sink?.mqtt?.tls ?? false,
    user: sink?.mqtt?.user ?? '',
    password: '',
    sparkplug: sink?.mqtt?.sparkplug != null,
    group: sink?.mqtt?.sparkplug?.group ?? '',
    topic: sink?.mqtt?.topic ?? 'padim/{category}/{station}/result',
    qos: String(sink?.mqtt?.qos ?? 1),
    retain: sink?.mqtt?.retain ?? false,
    images: sink?.folder?.images ?? false,
    keepDays: sink?.folder?.keepDays ? String(sink.folder.keepDays) : '',
});

/** Makes a request of a draft. What the form does not show, such as certificates, stays as it is. */
export function requestOf(draft: SinkDraft, sink: SinkResponse | undefined): SinkRequest {
    const names = draft.categories.split(/[\s,]+/).filter(name => name !== '');
    const request: SinkRequest = {
        enabled: draft.enabled,
        categories: names.length > 0 ? names : null,
        decisions: draft.decisions.length < decisions.length ? [...draft.decisions] : null,
        timeoutSeconds: sink?.timeoutSeconds ?? 10,
    };
    switch (draft.kind) {
        case 'webhook':
            return {
                ...request,
                webhook: {
                    url: draft.url.trim(),
                    allowPrivate: draft.allowPrivate,
                    ...(draft.secret.trim() ? { secrets: [draft.secret.trim()] } : {}),
                },
            };
        case 'mqtt': {
            const { caCertificates, clientCertificate, statusTopic } = sink?.mqtt ?? {};
            return {
                ...request,
                mqtt: {
                    host: draft.host.trim(),
                    port: draft.port.trim() === '' ? null : Number(draft.port),
                    tls: draft.tls,
                    user: draft.user.trim() || null,
                    ...(draft.password ? { password: draft.password } : {}),
                    ...(draft.tls ? { caCertificates, clientCertificate } : {}),
                    // Sparkplug says topics, quality of service and what is retained.
                    ...(draft.sparkplug
                        ? { sparkplug: { group: draft.group.trim() } }
                        : {
                              topic: draft.topic.trim(),
                              qos: Number(draft.qos),
                              retain: draft.retain,
                              ...(sink?.mqtt?.sparkplug == null && statusTopic != null ? { statusTopic } : {}),
                          }),
                } as MqttRequest,
            };
        }
        case 'folder':
            return {
                ...request,
                folder: {
                    images: draft.images,
                    maxFileBytes: sink?.folder?.maxFileBytes ?? 64 * 1024 * 1024,
                    keepDays: draft.keepDays.trim() === '' ? null : Number(draft.keepDays),
                },
            };
    }
}

/** Makes a secret as Standard Webhooks wants it. */
export function newSecret(): string {
    return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}
