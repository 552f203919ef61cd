// Generated from openapi.json by `npm run types`. Do not edit.

export interface paths {
    "/api/graph": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Which service calls which. */
        get: operations["graph"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["document"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The operations of a service; none for one that is not known. */
        get: operations["operations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who sends what right now, how full the store is, what it dropped and removed. */
        get: operations["overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/services": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The services that have spans. */
        get: operations["services"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Traces of which one span fulfils everything that is asked for. */
        get: operations["traces"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/traces/{traceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A trace with all of its spans that are kept, 50,000 at most. */
        get: operations["trace"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A key with its value. */
        AttributeView: {
            /** @description The key. */
            key: string;
            /** @description What the value is. */
            type: components["schemas"]["ValueType"];
            /** @description The value as text: bytes in base64, lists and maps as JSON. */
            value: string;
        };
        /**
         * @description How a call is made.
         * @enum {string}
         */
        CallKind: "sync" | "async";
        /** @description Something that was not kept. */
        Dropped: {
            /**
             * Format: int64
             * @description How many.
             */
            count: number;
            /** @description What, and why, for people. */
            what: string;
        };
        /** @description How many spans failed. */
        Errors: {
            /**
             * Format: int64
             * @description In the sixty seconds up to now.
             */
            lastMinute: number;
            /** @description By minute of the clock, oldest first; the last one is not over. */
            perMinute: number[];
        };
        /** @description Something that happened at one moment of a span. */
        EventView: {
            /** @description More about it. */
            attributes: components["schemas"]["AttributeView"][];
            /** @description What. */
            name: string;
            /** @description When, from the start of the trace; 0 for what is said to have happened before. */
            time: components["schemas"]["Nanoseconds"];
        };
        /** @description That spans of a trace were removed. */
        EvictedSpans: {
            /** @description When. */
            at: components["schemas"]["Time"];
            /** @description Whose. */
            service: string;
        };
        /**
         * @description What the store can do that readers have to know.
         * @enum {string}
         */
        FactName: "evictedForSize" | "evictedForAge" | "repaired" | "damaged";
        /** @description Something the store did. */
        FactView: {
            /** @description When it was done. */
            at: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description How many bytes on disk.
             */
            bytes: number;
            /** @description More about it; empty if there is nothing to say. */
            detail: string;
            from: components["schemas"]["Time"] | null;
            /**
             * Format: int64
             * @description How many spans, lines or samples; 0 if not known.
             */
            items: number;
            /** @description What was done. */
            kind: components["schemas"]["FactName"];
            /** @description Whose it was; empty if not known. */
            service: string;
            /** @description To what. */
            signal: components["schemas"]["SignalName"];
            to: components["schemas"]["Time"] | null;
        };
        /** @description What went wrong. */
        Failure: {
            /** @description The one failure. */
            error: components["schemas"]["FailureMessage"];
        };
        /** @description See [`Failure`]. */
        FailureMessage: {
            /** @description What was wrong, where, and an example of what would be right. */
            message: string;
        };
        /** @description An error of the graph. */
        GraphError: {
            /** @description The error. */
            error: components["schemas"]["GraphErrorText"];
        };
        /** @description What is wrong. */
        GraphErrorText: {
            /** @description In words for a person. */
            message: string;
        };
        /**
         * @description What a span stands for.
         * @enum {string}
         */
        Kind: "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";
        /** @description A reference to a span. */
        LinkView: {
            /** @description More about it. */
            attributes: components["schemas"]["AttributeView"][];
            /** @description Whether the span is in this answer. */
            isHere: boolean;
            /** @description The span, 16 hexadecimal digits. */
            spanId: string;
            /** @description The trace, 32 hexadecimal digits. */
            traceId: string;
        };
        /**
         * @description A length of time, or an offset from the start of a trace: nanoseconds, as decimal text.
         * @example 1500000
         */
        Nanoseconds: string;
        /** @description The oldest of each signal that is kept; null where nothing is. */
        OldestKept: {
            lines: components["schemas"]["Time"] | null;
            samples: components["schemas"]["Time"] | null;
            spans: components["schemas"]["Time"] | null;
        };
        /** @description An operation. */
        OperationName: {
            /** @description The spans' kind. */
            kind: components["schemas"]["Kind"];
            /** @description The spans' name. */
            name: string;
        };
        /** @description The operations of a service. */
        Operations: {
            /** @description By name, then kind. */
            operations: components["schemas"]["OperationName"][];
        };
        /** @description The state of everything that sends, and of the store. */
        Overview: {
            /** @description What was not kept since the console started; counts of zero are left out. */
            dropped: components["schemas"]["Dropped"][];
            /** @description What the store did that readers have to know, newest first, fifty at most. */
            facts: components["schemas"]["FactView"][];
            /** @description How many minutes the counts by minute reach over. */
            minutes: number;
            /** @description The console's clock. */
            now: components["schemas"]["Time"];
            /** @description Where senders reach it, beside the port of this page. */
            ports: components["schemas"]["Ports"];
            /** @description Who sends or has something in the store, by name. */
            services: components["schemas"]["ServiceActivity"][];
            /** @description Whether some services are counted together under `(other services)`, because there are too many. */
            servicesTruncated: boolean;
            /** @description How full the store is. */
            store: components["schemas"]["StoreState"];
            /** @description The console's version. */
            version: string;
        };
        /** @description Ports for senders. */
        Ports: {
            /**
             * Format: int32
             * @description OTLP over gRPC.
             */
            otlpGrpc: number;
            /**
             * Format: int32
             * @description OTLP over HTTP.
             */
            otlpHttp: number;
        };
        /** @description How much of one signal came in. */
        Received: {
            /**
             * Format: int64
             * @description In the sixty seconds up to now.
             */
            lastMinute: number;
            /** @description By minute of the clock, oldest first; the last one is not over. */
            perMinute: number[];
            /**
             * Format: int64
             * @description Since the console started.
             */
            total: number;
        };
        /** @description Who sent spans. */
        ResourceView: {
            /** @description What is known of the sender. */
            attributes: components["schemas"]["AttributeView"][];
            /** @description The service, a place in the list of services. */
            service: number;
        };
        /** @description What made spans. */
        ScopeView: {
            /** @description What else is known of it. */
            attributes: components["schemas"]["AttributeView"][];
            /** @description The name of the instrumentation; empty if none. */
            name: string;
            /** @description Its version; empty if none. */
            version: string;
        };
        /** @description What one service sends. */
        ServiceActivity: {
            /**
             * Format: int64
             * @description Bytes that are kept of it, all signals together: in blocks as they are on disk, and what is in none yet as it
             *     is in memory.
             */
            bytes: number;
            /** @description Its failed spans. */
            errors: components["schemas"]["Errors"];
            lastSeen: components["schemas"]["Time"] | null;
            /** @description Its name. */
            name: string;
            /** @description What it sent, by signal. */
            signals: components["schemas"]["Signals"];
        };
        /** @description Calls from a service to another. */
        ServiceEdge: {
            /**
             * Format: int64
             * @description How often in the time.
             */
            calls: number;
            /**
             * Format: double
             * @description The share of called spans that failed, 0 to 1.
             */
            errorRate: number;
            /** @description Who calls. */
            from: string;
            /** @description How. */
            kind: components["schemas"]["CallKind"];
            /** @description The duration that 95 % of the called spans did not exceed, nanoseconds; right within 2 %. */
            p95: string;
            /**
             * Format: double
             * @description The same by second.
             */
            perSecond: number;
            /** @description Who is called. */
            to: string;
        };
        /** @description The services of a time and the calls between them. */
        ServiceGraph: {
            /** @description The calls between different services, sorted by who calls whom. */
            edges: components["schemas"]["ServiceEdge"][];
            /**
             * Format: int64
             * @description How long it took, milliseconds.
             */
            elapsedMs: number;
            /** @description The services, sorted. */
            nodes: components["schemas"]["ServiceNode"][];
            /**
             * @description The earliest start of a span that was counted, nanoseconds since the Unix epoch: what was asked for, or later
             *     where counting all of it would take too long. Rates are of the time since then.
             */
            since: string;
            /** @description Whether there was more than can be told apart: calls are estimated from a part of the traces then. */
            truncated: boolean;
        };
        /** @description A service. */
        ServiceNode: {
            /**
             * Format: double
             * @description The share of spans that failed, 0 to 1.
             */
            errorRate: number;
            /** @description The duration that half of the spans did not exceed, nanoseconds; right within 2 %. */
            p50: string;
            /** @description The duration that 95 % of the spans did not exceed, nanoseconds; right within 2 %. */
            p95: string;
            /**
             * Format: double
             * @description The same by second.
             */
            perSecond: number;
            /** @description Its name. */
            service: string;
            /**
             * Format: int64
             * @description How many spans of it began in the time.
             */
            spans: number;
        };
        /** @description A service and how much it can do. */
        ServiceOperations: {
            /** @description Its name. */
            name: string;
            /** @description How many operations of it are known: names of spans, with their kinds. */
            operations: number;
        };
        /** @description The services that have spans. */
        Services: {
            /** @description By name. */
            services: components["schemas"]["ServiceOperations"][];
        };
        /** @description A service's part of a trace. */
        ServiceShare: {
            /** @description How many of them failed. */
            errors: number;
            /** @description Its name. */
            name: string;
            /** @description How many spans are its. */
            spans: number;
        };
        /** @description A service of a trace. */
        ServiceSpans: {
            /** @description Its name. */
            name: string;
            /** @description How many spans are its. */
            spans: number;
        };
        /**
         * @description A kind of telemetry.
         * @enum {string}
         */
        SignalName: "traces" | "logs" | "metrics" | "pinned";
        /** @description What a service sent, by signal. */
        Signals: {
            /** @description Log lines. */
            lines: components["schemas"]["Received"];
            /** @description Samples. */
            samples: components["schemas"]["Received"];
            /** @description Spans. */
            spans: components["schemas"]["Received"];
        };
        /** @description One span. */
        SpanView: {
            /** @description What is known of it. */
            attributes: components["schemas"]["AttributeView"][];
            /**
             * Format: int32
             * @description How many spans are directly below it.
             */
            children: number;
            /** @description When it determined how long the whole trace took, from the start of the trace, in order. */
            criticalPath: components["schemas"]["Stretch"][];
            /**
             * Format: int32
             * @description How many spans are above it.
             */
            depth: number;
            /**
             * Format: int32
             * @description How many attributes the sender left out.
             */
            droppedAttributes: number;
            /** @description How long it took. */
            duration: components["schemas"]["Nanoseconds"];
            /** @description What happened meanwhile. */
            events: components["schemas"]["EventView"][];
            /**
             * @description Whether nothing above waits for it: it starts after its parent ended, takes a message, or is shown
             *     below its parent because of a link.
             */
            isAsync: boolean;
            /** @description Whether it names a parent that is not above it: one that is not there, itself, or one below it. */
            isMissingParent: boolean;
            /** @description What it stands for. */
            kind: components["schemas"]["Kind"];
            /** @description What it refers to. */
            links: components["schemas"]["LinkView"][];
            /** @description The operation. */
            name: string;
            /**
             * @description The span it is part of, or, where it names none, the one it is shown below because of a link; null for
             *     a root.
             */
            parentId: string | null;
            /** @description Who sent it, a place in the list of resources. */
            resource: number;
            /** @description What made it, a place in the list of scopes. */
            scope: number;
            /** @description How long it took without what happened below it. */
            selfTime: components["schemas"]["Nanoseconds"];
            /** @description Whose it is, a place in the list of services. */
            service: number;
            /** @description Its id, 16 hexadecimal digits. */
            spanId: string;
            /** @description When it began, from the start of the trace. */
            start: components["schemas"]["Nanoseconds"];
            /** @description How it ended. */
            status: components["schemas"]["StatusName"];
            /** @description What is said of how it ended; empty if nothing. */
            statusMessage: string;
            /** @description W3C `tracestate`; empty if none. */
            traceState: string;
        };
        /**
         * @description How a span ended.
         * @enum {string}
         */
        StatusName: "unset" | "ok" | "error";
        /** @description How full the store is. */
        StoreState: {
            /**
             * Format: int64
             * @description Bytes on disk.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Bytes it may take.
             */
            bytesMax: number;
            /** @description The oldest it has. */
            oldest: components["schemas"]["OldestKept"];
            /**
             * Format: int64
             * @description How long it keeps, seconds; 0 for as long as there is room.
             */
            retentionSeconds: number;
            /** @description What the disk refuses at the moment; null if all is well. */
            trouble: string | null;
        };
        /** @description A stretch of time within a trace. */
        Stretch: {
            /** @description How long it is. */
            duration: components["schemas"]["Nanoseconds"];
            /** @description When it begins, from the start of the trace. */
            start: components["schemas"]["Nanoseconds"];
        };
        /**
         * @description A moment: nanoseconds since the Unix epoch, as decimal text, for JavaScript's numbers are too coarse.
         * @example 1795600800000000000
         */
        Time: string;
        /** @description Traces that match a search. */
        Traces: {
            /**
             * Format: double
             * @description How long the search took, milliseconds.
             */
            elapsedMs: number;
            /** @description Newest first. */
            traces: components["schemas"]["TraceSummary"][];
            /** @description Whether more match than are shown, be it for the limit or for the time the search may take. */
            truncated: boolean;
        };
        /** @description A trace in short. */
        TraceSummary: {
            /** @description From there to the end of what ended last. */
            duration: components["schemas"]["Nanoseconds"];
            /** @description How many of them failed. */
            errors: number;
            /** @description Whether spans are known to be missing: removed, not arrived, or too many to be shown. */
            isPartial: boolean;
            /** @description Whether no span is there that has no parent. */
            missingRoot: boolean;
            /** @description The name of its root, else of its earliest span. */
            rootName: string;
            /** @description The service of its root, else of its earliest span. */
            rootService: string;
            /** @description Whose they are, in order of first appearance. */
            services: components["schemas"]["ServiceShare"][];
            /** @description How many spans there are. */
            spans: number;
            /** @description When its earliest span began. */
            start: components["schemas"]["Time"];
            /** @description Its id, 32 hexadecimal digits. */
            traceId: string;
        };
        /** @description A trace, whole. */
        TraceView: {
            /** @description From there to the end of what ended last. */
            duration: components["schemas"]["Nanoseconds"];
            /** @description How many spans failed. */
            errors: number;
            /** @description What of it was removed. */
            evicted: components["schemas"]["EvictedSpans"][];
            /** @description Whether there are more spans than are shown, which are 50,000 at most. */
            isTruncated: boolean;
            /** @description How many spans are named as parents and are not there. */
            missingSpans: number;
            /** @description Who sent them; spans refer to a place in this list. */
            resources: components["schemas"]["ResourceView"][];
            /** @description What made them; spans refer to a place in this list. */
            scopes: components["schemas"]["ScopeView"][];
            /** @description Whose spans they are, in order of first appearance; spans refer to a place in this list. */
            services: components["schemas"]["ServiceSpans"][];
            /** @description Each span before its children, siblings by start. */
            spans: components["schemas"]["SpanView"][];
            /** @description When its earliest span began. */
            start: components["schemas"]["Time"];
            /** @description Its id, 32 hexadecimal digits. */
            traceId: string;
        };
        /**
         * @description What a value is.
         * @enum {string}
         */
        ValueType: "string" | "int" | "double" | "bool" | "bytes" | "array" | "map" | "empty";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    graph: {
        parameters: {
            query?: {
                /** @description The latest start of a span, nanoseconds since the Unix epoch; now if missing. */
                end?: string;
                /** @description `true` leaves out calls of which none failed, and services that have no failed span and no such call. */
                errorsOnly?: string;
                /** @description The earliest start of a span, nanoseconds since the Unix epoch; 15 minutes before the end if missing. */
                start?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The services and the calls between them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServiceGraph"];
                };
            };
            /** @description A parameter is wrong */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphError"];
                };
            };
            /** @description The store cannot be read */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphError"];
                };
            };
            /** @description The store is busy */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphError"];
                };
            };
            /** @description It took too long */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GraphError"];
                };
            };
        };
    };
    document: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An OpenAPI document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description A parameter is not as it has to be. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The store could not be read. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Too many are reading already. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Reading took too long. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    operations: {
        parameters: {
            query: {
                /** @description Whose operations */
                service: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operations, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operations"];
                };
            };
            /** @description A parameter is not as it has to be. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The store could not be read. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Too many are reading already. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Reading took too long. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    overview: {
        parameters: {
            query?: {
                /** @description How many minutes to count by minute; 15 unless said */
                minutes?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state of everything */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description A parameter is not as it has to be. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The store could not be read. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Too many are reading already. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Reading took too long. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    services: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The services, by name */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Services"];
                };
            };
            /** @description A parameter is not as it has to be. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The store could not be read. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Too many are reading already. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Reading took too long. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    traces: {
        parameters: {
            query?: {
                /** @description The latest start of the span, nanoseconds since the Unix epoch; now unless said */
                end?: string;
                /** @description Only spans that failed */
                errors?: boolean;
                /** @description How many traces at most; 50 unless said */
                limit?: number;
                /**
                 * @description The longest duration of the span
                 * @example 1s
                 */
                maxDuration?: string;
                /**
                 * @description The shortest duration of the span
                 * @example 10ms
                 */
                minDuration?: string;
                /** @description The span's name; any unless said */
                operation?: string;
                /** @description The service of the span; any unless said */
                service?: string;
                /** @description The earliest start of the span, nanoseconds since the Unix epoch; an hour before the end unless said */
                start?: string;
                /**
                 * @description Attributes that the span, one of its events or its resource must have: a JSON object of strings
                 * @example {"http.request.method":"POST"}
                 */
                tags?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The traces, newest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Traces"];
                };
            };
            /** @description A parameter is not as it has to be. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The store could not be read. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Too many are reading already. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Reading took too long. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
    trace: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description 32 hexadecimal digits
                 * @example 4bf92f3577b34da6a3ce929d0e0e4736
                 */
                traceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The trace */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TraceView"];
                };
            };
            /** @description A parameter is not as it has to be. */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description It is not there: removed, or never seen */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description The store could not be read. */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Too many are reading already. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
            /** @description Reading took too long. */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Failure"];
                };
            };
        };
    };
}
