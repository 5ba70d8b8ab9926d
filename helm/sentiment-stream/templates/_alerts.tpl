{{/* Records that came out per second, events and dead letters: selector, window. */}}
{{- define "sentiment-stream.published" -}}
{{- $range := printf "{%s}[%s]" (index . 0) (index . 1) -}}
(sum by (namespace, job) (rate(sentiment_published_total{{ $range }})) + sum by (namespace, job) (rate(sentiment_dead_lettered_total{{ $range }})))
{{- end -}}

{{/* Records committed per second, those that came out and those that were skipped: selector, window. */}}
{{- define "sentiment-stream.outcomes" -}}
{{- $range := printf "{%s}[%s]" (index . 0) (index . 1) -}}
({{ include "sentiment-stream.published" . }} + sum by (namespace, job) (rate(sentiment_skipped_total{{ $range }})))
{{- end -}}

{{/* Share of dead letters of what came out: selector, window. */}}
{{- define "sentiment-stream.deadShare" -}}
{{- $range := printf "{%s}[%s]" (index . 0) (index . 1) -}}
sum by (namespace, job) (rate(sentiment_dead_lettered_total{{ $range }})) / {{ include "sentiment-stream.published" . }}
{{- end -}}

{{/* Labels and annotations of an alert: severity, runbook, name, summary, description. */}}
{{- define "sentiment-stream.alert" -}}
labels:
  severity: {{ index . 0 }}
annotations:
  summary: {{ index . 3 | quote }}
  description: {{ index . 4 | quote }}
  {{- with index . 1 }}
  runbook_url: {{ printf "%s%s" . (lower (index $ 2)) | quote }}
  {{- end }}
{{- end -}}
