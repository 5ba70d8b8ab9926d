{{/* Name of all objects; short enough for what Kubernetes appends to it. */}}
{{- define "sentiment-stream.fullname" -}}
{{- $default := .Release.Name -}}
{{- if not (contains .Chart.Name .Release.Name) -}}
{{- $default = printf "%s-%s" .Release.Name .Chart.Name -}}
{{- end -}}
{{- $name := .Values.fullnameOverride | default $default -}}
{{- if .Values.backfill.enabled -}}
{{- /* With the values of the release beside it, its override among them, it has names of its own. */ -}}
{{- $name | trunc 43 | trimSuffix "-" | printf "%s-backfill" -}}
{{- else -}}
{{- $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What else may read the input of this group: once, up to its end. */}}
{{- define "sentiment-stream.backfillGroup" -}}
{{- .Values.backfill.groupId | default (printf "%s-backfill" .Values.settings.kafka.groupId) -}}
{{- end -}}

{{/* Not empty where pods have lasting names; those of a Job have none. */}}
{{- define "sentiment-stream.static" -}}
{{- if and .Values.staticMembership (not .Values.backfill.enabled) -}}true{{- end -}}
{{- end -}}

{{/* What scales the service, if anything does: none, keda or hpa. */}}
{{- define "sentiment-stream.scaledBy" -}}
{{- ternary "none" .Values.autoscaling.mode .Values.backfill.enabled -}}
{{- end -}}

{{/* Not empty where there may be no replica while there is nothing to read. */}}
{{- define "sentiment-stream.sleeps" -}}
{{- if and (ne (include "sentiment-stream.scaledBy" .) "none") (eq (int .Values.autoscaling.minReplicas) 0) -}}true{{- end -}}
{{- end -}}

{{/* Whether KEDA asks the brokers for the lag: not where the replicas' own metric is enough. */}}
{{- define "sentiment-stream.kedaAsksBrokers" -}}
{{- if or (eq (int .Values.autoscaling.keda.drainSeconds) 0) (include "sentiment-stream.sleeps" .) -}}true{{- end -}}
{{- end -}}

{{/* What makes the pods. */}}
{{- define "sentiment-stream.kind" -}}
{{- ternary "StatefulSet" "Deployment" .Values.staticMembership -}}
{{- end -}}

{{/* What tells this installation from others. */}}
{{- define "sentiment-stream.instance" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* What selects the pods of the service, or of the backfill, and no others. */}}
{{- define "sentiment-stream.selector" -}}
{{ include "sentiment-stream.instance" . }}
app.kubernetes.io/component: {{ ternary "backfill" "stream" .Values.backfill.enabled }}
{{- end -}}

{{- define "sentiment-stream.labels" -}}
{{ include "sentiment-stream.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sentiment-stream.image" -}}
{{- with .Values.image -}}
{{- $tag := .tag | default (printf "%s%s" $.Chart.AppVersion (ternary "-gpu" "" (gt (int $.Values.gpu.count) 0))) -}}
{{- .repository -}}:{{- $tag -}}{{- with .digest -}}@{{ . }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Partitions of all input topics together. */}}
{{- define "sentiment-stream.partitions" -}}
{{- mul .Values.inputPartitions (len (splitList "," .Values.settings.kafka.inputTopic)) -}}
{{- end -}}

{{/* A replica without a partition would stand idle. */}}
{{- define "sentiment-stream.maxReplicas" -}}
{{- min .Values.autoscaling.maxReplicas (include "sentiment-stream.partitions" .) -}}
{{- end -}}

{{/* Where the model lies in the container. */}}
{{- define "sentiment-stream.modelName" -}}
{{- if eq .Values.model.source "image" -}}
{{ .Values.settings.model.name }}
{{- else -}}
{{ printf "/models/%s" (trimAll "/" .Values.model.path) | trimSuffix "/" }}
{{- end -}}
{{- end -}}

{{/* A value as the environment takes it; Helm reads whole numbers as floats, and would write 1e+06. */}}
{{- define "sentiment-stream.plain" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* All settings as environment variables. */}}
{{- define "sentiment-stream.settings" -}}
{{- range $group, $values := .Values.settings -}}
{{- range $name, $value := $values -}}
{{- if and (not (kindIs "invalid" $value)) (ne (printf "%s.%s" $group $name) "model.name") }}
SENTIMENT_{{ $group | upper }}__{{ $name | snakecase | upper }}: {{ include "sentiment-stream.plain" $value | quote }}
{{- end -}}
{{- end -}}
{{- end }}
{{- if and (include "sentiment-stream.static" .) (not .Values.settings.kafka.sessionTimeoutMs) }}
SENTIMENT_KAFKA__SESSION_TIMEOUT_MS: "60000"
{{- end }}
SENTIMENT_MODEL__NAME: {{ include "sentiment-stream.modelName" . | quote }}
{{- with .Values.secrets }}
{{- if .sasl.name }}
SENTIMENT_KAFKA__SASL_PASSWORD_FILE: /etc/sentiment-stream/sasl/password
{{- end }}
{{- if or .token.name .token.audience }}
SENTIMENT_KAFKA__SASL_TOKEN_FILE: /etc/sentiment-stream/token/token
{{- end }}
{{- if .ca.name }}
SENTIMENT_KAFKA__SSL_CA_FILE: /etc/sentiment-stream/ca/ca.crt
{{- end }}
{{- if .client.name }}
SENTIMENT_KAFKA__SSL_CERTIFICATE_FILE: /etc/sentiment-stream/client/tls.crt
SENTIMENT_KAFKA__SSL_KEY_FILE: /etc/sentiment-stream/client/tls.key
{{- end }}
{{- if .registry.name }}
SENTIMENT_KAFKA__SCHEMA_REGISTRY_PASSWORD_FILE: /etc/sentiment-stream/registry/password
{{- end }}
{{- if .registryCa.name }}
SENTIMENT_KAFKA__SCHEMA_REGISTRY_CA_FILE: /etc/sentiment-stream/registryca/ca.crt
{{- end }}
{{- if .registryClient.name }}
SENTIMENT_KAFKA__SCHEMA_REGISTRY_CERTIFICATE_FILE: /etc/sentiment-stream/registryclient/tls.crt
SENTIMENT_KAFKA__SCHEMA_REGISTRY_KEY_FILE: /etc/sentiment-stream/registryclient/tls.key
{{- end }}
{{- end }}
{{- end -}}

{{/* Ports of the brokers: those given, or those in the bootstrap servers. */}}
{{- define "sentiment-stream.kafkaPorts" -}}
{{- $ports := .Values.networkPolicy.kafkaPorts -}}
{{- if not $ports -}}
{{- range splitList "," .Values.settings.kafka.bootstrapServers -}}
{{- $ports = append $ports (regexFind "[0-9]+$" .) -}}
{{- end -}}
{{- end -}}
{{- range uniq $ports }}
- port: {{ int . }}
  protocol: TCP
{{- end -}}
{{- end -}}

{{/* Where spans go: none or otlp. */}}
{{- define "sentiment-stream.traces" -}}
{{- .Values.settings.tracing.exporter | default "none" -}}
{{- end -}}

{{/* Port of a service: that in its address, or that of the scheme. */}}
{{- define "sentiment-stream.portOf" -}}
{{- $url := urlParse (. | default "") -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}
