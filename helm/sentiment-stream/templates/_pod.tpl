{{/* What every pod of the chart has: the service's, and that of `helm test`. */}}
{{- define "sentiment-stream.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
serviceAccountName: {{ include "sentiment-stream.fullname" . }}
{{- if not .Values.hostUsers }}
hostUsers: false
{{- end }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ int .Values.runAsUser }}
  runAsGroup: {{ int .Values.runAsUser }}
  fsGroup: {{ int .Values.runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "sentiment-stream.containerSecurity" -}}
image: {{ include "sentiment-stream.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* The program's settings and what they point to. */}}
{{- define "sentiment-stream.containerSettings" -}}
envFrom:
  - configMapRef:
      name: {{ include "sentiment-stream.fullname" . }}
env:
  # Libraries keep their caches there; the rest of the file system cannot be written.
  - name: HOME
    value: /tmp
  {{- if include "sentiment-stream.static" . }}
  - name: SENTIMENT_KAFKA__GROUP_INSTANCE_ID
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- end }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- range $name, $secret := pick .Values.secrets "sasl" "token" "ca" "client" "registry" "registryCa" "registryClient" }}
{{- if or $secret.name $secret.audience }}
  - name: {{ $name | lower }}
    mountPath: /etc/sentiment-stream/{{ $name | lower }}
    readOnly: true
{{- end }}
{{- end }}
{{- if ne .Values.model.source "image" }}
  - name: model
    mountPath: /models
    readOnly: true
{{- end }}
{{- end -}}

{{- define "sentiment-stream.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- with .Values.secrets }}
{{- if .sasl.name }}
{{ include "sentiment-stream.secretVolume" (list "sasl" .sasl.name (dict "password" .sasl.passwordKey)) }}
{{- end }}
{{- if .token.name }}
{{ include "sentiment-stream.secretVolume" (list "token" .token.name (dict "token" .token.key)) }}
{{- else if .token.audience }}
- name: token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          path: token
          audience: {{ .token.audience | quote }}
          expirationSeconds: {{ int .token.expirationSeconds }}
{{- end }}
{{- if .ca.name }}
{{ include "sentiment-stream.secretVolume" (list "ca" .ca.name (dict "ca.crt" .ca.key)) }}
{{- end }}
{{- if .client.name }}
{{ include "sentiment-stream.secretVolume" (list "client" .client.name (dict "tls.crt" .client.certificateKey "tls.key" .client.privateKeyKey)) }}
{{- end }}
{{- if .registry.name }}
{{ include "sentiment-stream.secretVolume" (list "registry" .registry.name (dict "password" .registry.passwordKey)) }}
{{- end }}
{{- if .registryCa.name }}
{{ include "sentiment-stream.secretVolume" (list "registryca" .registryCa.name (dict "ca.crt" .registryCa.key)) }}
{{- end }}
{{- if .registryClient.name }}
{{ include "sentiment-stream.secretVolume" (list "registryclient" .registryClient.name (dict "tls.crt" .registryClient.certificateKey "tls.key" .registryClient.privateKeyKey)) }}
{{- end }}
{{- end }}
{{- if eq .Values.model.source "volume" }}
- name: model
  {{- toYaml .Values.model.volume | nindent 2 }}
{{- else if eq .Values.model.source "oci" }}
- name: model
  image:
    {{- toYaml .Values.model.oci | nindent 4 }}
{{- end }}
{{- end -}}

{{/* A secret as files: name of the volume, of the secret, and key by file. A whole volume, as Kubernetes
renews its files and never those of a subPath. */}}
{{- define "sentiment-stream.secretVolume" -}}
- name: {{ index . 0 }}
  secret:
    secretName: {{ index . 1 }}
    defaultMode: 0440
    items:
      {{- range $path, $key := index . 2 }}
      - key: {{ $key }}
        path: {{ $path }}
      {{- end }}
{{- end -}}

{{- define "sentiment-stream.testResources" -}}
requests:
  cpu: 100m
  memory: 128Mi
  ephemeral-storage: 16Mi
limits:
  cpu: 500m
  memory: 256Mi
  ephemeral-storage: 64Mi
{{- end -}}
