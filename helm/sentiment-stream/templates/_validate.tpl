{{/* Refuses what would start and then not work; each message says what to do. What a single value
may be is in values.schema.json, and what settings may be together the program itself checks. */}}
{{- define "sentiment-stream.validate" -}}
{{- include "sentiment-stream.validate.kafka" . -}}
{{- include "sentiment-stream.validate.pods" . -}}
{{- if .Values.backfill.enabled -}}
{{- include "sentiment-stream.validate.backfill" . -}}
{{- else -}}
{{- include "sentiment-stream.validate.scaling" . -}}
{{- end -}}
{{- include "sentiment-stream.validate.model" . -}}
{{- if and (eq (include "sentiment-stream.traces" .) "otlp") (not .Values.settings.tracing.endpoint) -}}
{{- fail "settings.tracing.exporter=otlp needs settings.tracing.endpoint, like http://collector.tracing:4318/v1/traces" -}}
{{- end -}}
{{- if and .Values.networkPolicy.collectorTo (ne (include "sentiment-stream.traces" .) "otlp") -}}
{{- fail "networkPolicy.collectorTo is set, but nothing is sent there: set settings.tracing.exporter to otlp" -}}
{{- end -}}
{{- if and .Values.networkPolicy.registryTo (not .Values.settings.kafka.schemaRegistryUrl) -}}
{{- fail "networkPolicy.registryTo is set, but no schema registry is asked: set settings.kafka.schemaRegistryUrl" -}}
{{- end -}}
{{- if and .Values.secrets.registry.name (not .Values.settings.kafka.schemaRegistryUsername) -}}
{{- fail "secrets.registry.name is set, but nobody logs in: set settings.kafka.schemaRegistryUsername" -}}
{{- end -}}
{{- if and (or .Values.strimzi.topics.enabled .Values.strimzi.user.enabled) (not .Values.strimzi.cluster) -}}
{{- fail "strimzi.topics or strimzi.user is enabled, but for no cluster: set strimzi.cluster to the name of the Kafka object" -}}
{{- end -}}
{{- end -}}

{{- define "sentiment-stream.validate.kafka" -}}
{{- $kafka := .Values.settings.kafka -}}
{{- $secrets := .Values.secrets -}}
{{- $sasl := hasPrefix "SASL_" $kafka.securityProtocol -}}
{{- $tls := hasSuffix "SSL" $kafka.securityProtocol -}}
{{- $topics := concat (splitList "," $kafka.inputTopic) (list $kafka.outputTopic $kafka.deadLetterTopic) -}}
{{- if ne (len $topics) (len (uniq $topics)) -}}
{{- fail "settings.kafka.inputTopic, outputTopic and deadLetterTopic share a topic, which would feed the service its own output: name different ones" -}}
{{- end -}}
{{- $token := or $secrets.token.name $secrets.token.audience -}}
{{- $bears := and $sasl (eq $kafka.saslMechanism "OAUTHBEARER") -}}
{{- if and $bears (not $token) -}}
{{- fail "settings.kafka.saslMechanism=OAUTHBEARER logs in with a token: set secrets.token.name to the Secret that holds it, or secrets.token.audience for one that Kubernetes makes" -}}
{{- end -}}
{{- if and $bears (or $secrets.sasl.name $kafka.saslUsername) -}}
{{- fail "settings.kafka.saslMechanism=OAUTHBEARER logs in with a token alone: remove secrets.sasl.name and settings.kafka.saslUsername" -}}
{{- end -}}
{{- if and $token (not $bears) -}}
{{- fail (printf "secrets.token is set, but nobody logs in with it: set settings.kafka.saslMechanism to OAUTHBEARER and securityProtocol to SASL_SSL (they are %s and %s)" $kafka.saslMechanism $kafka.securityProtocol) -}}
{{- end -}}
{{- if and $secrets.token.name $secrets.token.audience -}}
{{- fail "secrets.token.name and secrets.token.audience name two tokens: remove one of them" -}}
{{- end -}}
{{- if and $sasl (not $bears) (not (and $secrets.sasl.name $kafka.saslUsername)) -}}
{{- fail (printf "settings.kafka.securityProtocol=%s logs in: set settings.kafka.saslUsername, and secrets.sasl.name to the Secret that holds the password" $kafka.securityProtocol) -}}
{{- end -}}
{{- if and (not $sasl) (or $secrets.sasl.name $kafka.saslUsername) -}}
{{- fail (printf "secrets.sasl.name or settings.kafka.saslUsername is set, but settings.kafka.securityProtocol=%s does not log in: set it to SASL_SSL or SASL_PLAINTEXT" $kafka.securityProtocol) -}}
{{- end -}}
{{- if and (not $tls) (or $secrets.ca.name $secrets.client.name) -}}
{{- fail (printf "secrets.ca or secrets.client is set, but settings.kafka.securityProtocol=%s has no TLS: set it to SSL or SASL_SSL" $kafka.securityProtocol) -}}
{{- end -}}
{{- with .Values.strimzi.user -}}
{{- if and .enabled (eq .authentication "scram-sha-512") (ne $kafka.saslMechanism "SCRAM-SHA-512") -}}
{{- fail "strimzi.user.authentication=scram-sha-512 needs settings.kafka.saslMechanism=SCRAM-SHA-512: set it, or the authentication to tls" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What a backfill alone may not be; it has none of what scales or keeps the service. */}}
{{- define "sentiment-stream.validate.backfill" -}}
{{- $partitions := include "sentiment-stream.partitions" . | int -}}
{{- if gt (int .Values.backfill.replicas) $partitions -}}
{{- fail (printf "backfill.replicas=%d is more than the %d input partitions, and the rest would do nothing: lower it, or set inputPartitions to what the topics have" (int .Values.backfill.replicas) $partitions) -}}
{{- end -}}
{{- if eq .Values.backfill.groupId .Values.settings.kafka.groupId -}}
{{- fail (printf "backfill.groupId=%s is the group of the service, which would share the work: name another one, or none" .Values.backfill.groupId) -}}
{{- end -}}
{{- end -}}

{{- define "sentiment-stream.validate.pods" -}}
{{- $kubernetes := .Capabilities.KubeVersion.Version -}}
{{- if and (not .Values.hostUsers) (gt (int .Values.runAsUser) 65535) -}}
{{- fail (printf "hostUsers=false gives a pod the users 0 to 65535, and runAsUser=%d is none of them: lower it" (int .Values.runAsUser)) -}}
{{- end -}}
{{- if semverCompare "<1.33-0" $kubernetes -}}
{{- if not .Values.hostUsers -}}
{{- fail (printf "hostUsers=false needs Kubernetes 1.33 or newer, and this is %s: set it to true" $kubernetes) -}}
{{- end -}}
{{- if .Values.resizePolicy -}}
{{- fail (printf "resizePolicy needs Kubernetes 1.33 or newer, and this is %s: remove it" $kubernetes) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sentiment-stream.validate.scaling" -}}
{{- $scaling := .Values.autoscaling -}}
{{- $partitions := include "sentiment-stream.partitions" . | int -}}
{{- if eq $scaling.mode "none" -}}
{{- if gt (int .Values.replicas) $partitions -}}
{{- fail (printf "replicas=%d is more than the %d input partitions, and the rest would stand idle: lower it, or set inputPartitions to what the topics have" (int .Values.replicas) $partitions) -}}
{{- end -}}
{{- else -}}
{{- if gt (int $scaling.minReplicas) (include "sentiment-stream.maxReplicas" . | int) -}}
{{- fail (printf "autoscaling.minReplicas=%d is above autoscaling.maxReplicas=%d or the %d input partitions: lower it, or raise these" (int $scaling.minReplicas) (int $scaling.maxReplicas) $partitions) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.staticMembership (ne $scaling.mode "none") -}}
{{- fail (printf "staticMembership=true and autoscaling.mode=%s: a replica that is scaled away would keep its partitions for the session timeout, and nobody would read them: set autoscaling.mode to none, or staticMembership to false" $scaling.mode) -}}
{{- end -}}
{{- if eq $scaling.mode "hpa" -}}
{{- $types := list -}}
{{- range $scaling.hpa.metrics }}{{- $types = append $types .type -}}{{- end -}}
{{- if and (eq (int $scaling.minReplicas) 0) (not (or (has "External" $types) (has "Object" $types))) -}}
{{- fail "autoscaling.minReplicas=0 needs autoscaling.mode=keda, or a metric of type External or Object in autoscaling.hpa.metrics: an hpa has no CPU to look at where nothing runs" -}}
{{- end -}}
{{- if and (gt (int .Values.gpu.count) 0) (not $scaling.hpa.metrics) -}}
{{- fail "autoscaling.mode=hpa scales by CPU, which says little of a GPU: set it to keda, or name another metric in autoscaling.hpa.metrics" -}}
{{- end -}}
{{- end -}}
{{- $wakes := and (eq $scaling.mode "keda") $scaling.keda.keepOffsets.start -}}
{{- if and (include "sentiment-stream.sleeps" .) (not $wakes) (eq .Values.settings.kafka.autoOffsetReset "latest") -}}
{{- fail "autoscaling.minReplicas=0 and settings.kafka.autoOffsetReset=latest: brokers delete the offsets of a group without replicas, and what came meanwhile would be skipped: set autoOffsetReset to earliest, minReplicas to 1, or, with keda, keepOffsets.start" -}}
{{- end -}}
{{- if eq $scaling.mode "keda" -}}
{{- include "sentiment-stream.validate.keda" . -}}
{{- end -}}
{{- end -}}

{{- define "sentiment-stream.validate.keda" -}}
{{- $keda := .Values.autoscaling.keda -}}
{{- $asks := include "sentiment-stream.kedaAsksBrokers" . -}}
{{- if ne (gt (int $keda.drainSeconds) 0) (ne $keda.prometheusAddress "") -}}
{{- fail "autoscaling.keda.drainSeconds and prometheusAddress need each other: set both, or drainSeconds to 0 and no address to scale by the lag" -}}
{{- end -}}
{{- if and $keda.allowIdleConsumers $keda.limitToPartitionsWithLag -}}
{{- fail "autoscaling.keda.allowIdleConsumers and limitToPartitionsWithLag contradict each other: set the second to false" -}}
{{- end -}}
{{- if and $keda.keepOffsets.start (not $keda.keepOffsets.end) -}}
{{- fail "autoscaling.keda.keepOffsets.start needs keepOffsets.end, some minutes later" -}}
{{- end -}}
{{- if and $asks (hasPrefix "SASL_" .Values.settings.kafka.securityProtocol) (eq .Values.settings.kafka.saslMechanism "OAUTHBEARER") -}}
{{- fail "autoscaling.mode=keda and settings.kafka.saslMechanism=OAUTHBEARER: KEDA cannot ask the brokers with the token of a file: set autoscaling.keda.drainSeconds and prometheusAddress, and minReplicas to 1 or more; or the mode to hpa" -}}
{{- end -}}
{{- $activation := int $keda.activationLagThreshold -}}
{{- if and $activation (lt $activation (mul 2 .Values.inputPartitions | int)) -}}
{{- fail (printf "autoscaling.keda.activationLagThreshold=%d is reached by the markers of transactions on %d partitions: set it to %d or more, or to 0 to let it follow" $activation (int .Values.inputPartitions) (mul 2 .Values.inputPartitions)) -}}
{{- end -}}
{{- end -}}

{{- define "sentiment-stream.validate.model" -}}
{{- $model := .Values.model -}}
{{- $settings := .Values.settings.model -}}
{{- if eq $model.source "image" -}}
{{- if not (or (eq $settings.name "bundled") (hasPrefix "/" $settings.name)) -}}
{{- fail (printf "settings.model.name=%s would be fetched from a hub by every replica: bring its folder with model.source=volume or oci" $settings.name) -}}
{{- end -}}
{{- else if ne $settings.name "bundled" -}}
{{- fail (printf "settings.model.name=%s and model.source=%s name two models: remove the first, and set model.path to the folder in the %s" $settings.name $model.source $model.source) -}}
{{- end -}}
{{- if and (eq $model.source "volume") (not $model.volume) -}}
{{- fail "model.source=volume needs model.volume, for example {persistentVolumeClaim: {claimName: models, readOnly: true}}" -}}
{{- end -}}
{{- if and (ne $model.source "volume") $model.volume -}}
{{- fail (printf "model.volume is set, but model.source=%s: set it to volume" $model.source) -}}
{{- end -}}
{{- if and (eq $model.source "oci") (not $model.oci.reference) -}}
{{- fail "model.source=oci needs model.oci.reference, the name of the image with the model's files" -}}
{{- end -}}
{{- if and (eq $model.source "oci") (semverCompare "<1.33-0" .Capabilities.KubeVersion.Version) -}}
{{- fail (printf "model.source=oci needs Kubernetes 1.33 or newer, and this is %s: use model.source=volume" .Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- if gt (int .Values.gpu.count) 0 -}}
{{- if or (eq $settings.device "cpu") (eq ($settings.engine | default "auto") "onnx_packed") (eq ($settings.precision | default "auto") "int8") -}}
{{- fail "gpu.count gives a GPU that settings.model.device, engine or precision would leave idle: set device to auto or cuda, and remove engine onnx_packed and precision int8" -}}
{{- end -}}
{{- else if hasPrefix "cuda" $settings.device -}}
{{- fail (printf "settings.model.device=%s needs a GPU: set gpu.count to 1" $settings.device) -}}
{{- end -}}
{{- end -}}
