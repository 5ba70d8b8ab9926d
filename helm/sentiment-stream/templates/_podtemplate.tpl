{{/* The pods of the service or of a backfill: metadata and spec, but for what a Job alone has. */}}
{{- define "sentiment-stream.podMetadata" -}}
labels:
  {{- include "sentiment-stream.selector" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # The program reads its settings once: other ones are other pods.
  checksum/settings: {{ include "sentiment-stream.settings" . | sha256sum }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Spec of the pods, without what says where they run; root context, and the program's arguments. */}}
{{- define "sentiment-stream.podSpec" -}}
{{- $ := index . 0 -}}
{{- $arguments := index . 1 -}}
{{- include "sentiment-stream.podSecurity" $ }}
# The drain, then up to 10 s to close what is open, then some to spare.
terminationGracePeriodSeconds: {{ add $.Values.settings.delivery.drainTimeoutS 15 }}
containers:
  - name: sentiment-stream
    {{- include "sentiment-stream.containerSecurity" $ | nindent 4 }}
    args: {{ toJson $arguments }}
    {{- include "sentiment-stream.containerSettings" $ | nindent 4 }}
    ports:
      - name: http
        containerPort: {{ int $.Values.settings.http.port }}
    # The process listens; loading the model and joining the group is what readiness waits for.
    startupProbe:
      httpGet:
        path: /livez
        port: http
      periodSeconds: 2
      timeoutSeconds: 5
      failureThreshold: 60
    # The model answers; brokers that are away do not make it fail, as a restart helps nobody.
    livenessProbe:
      httpGet:
        path: /livez
        port: http
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 3
    # The model is warm, the group joined, the brokers answer: an update waits for this.
    readinessProbe:
      httpGet:
        path: /readyz
        port: http
      periodSeconds: 5
      timeoutSeconds: 5
      failureThreshold: 2
    # The one line that says why the service gave up is then in `kubectl describe pod`.
    terminationMessagePolicy: FallbackToLogsOnError
    {{- $resources := deepCopy $.Values.resources }}
    {{- if gt (int $.Values.gpu.count) 0 }}
    {{- $gpu := dict $.Values.gpu.resource (int $.Values.gpu.count) }}
    {{- $resources = mergeOverwrite $resources (dict "limits" (merge $gpu ($resources.limits | default dict))) }}
    {{- end }}
    {{- with $resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $.Values.resizePolicy }}
    resizePolicy:
      {{- toYaml . | nindent 6 }}
    {{- end }}
volumes:
  {{- include "sentiment-stream.volumes" $ | nindent 2 }}
{{- end -}}

{{/* On which nodes the pods run; root context, and the labels that tell pods of one template. */}}
{{- define "sentiment-stream.podPlaces" -}}
{{- $ := index . 0 -}}
{{- $hashes := index . 1 -}}
{{- with $.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or $.Values.tolerations (gt (int $.Values.gpu.count) 0) }}
tolerations:
  {{- if gt (int $.Values.gpu.count) 0 }}
  - key: {{ $.Values.gpu.resource }}
    operator: Exists
    effect: NoSchedule
  {{- end }}
  {{- with $.Values.tolerations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with $.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $.Values.topologySpread.keys }}
topologySpreadConstraints:
  {{- range . }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "sentiment-stream.selector" $ | nindent 8 }}
    {{- with $hashes }}
    matchLabelKeys: {{ toJson . }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end -}}
