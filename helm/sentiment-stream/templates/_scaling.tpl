{{/* Up at once, down slowly: each change of the number of replicas is a rebalance of the group. */}}
{{- define "sentiment-stream.behavior" -}}
scaleUp:
  stabilizationWindowSeconds: 0
  policies:
    - type: Percent
      value: 100
      periodSeconds: 60
    - type: Pods
      value: 4
      periodSeconds: 60
scaleDown:
  stabilizationWindowSeconds: 300
  policies:
    - type: Percent
      value: 50
      periodSeconds: 120
{{- end -}}
