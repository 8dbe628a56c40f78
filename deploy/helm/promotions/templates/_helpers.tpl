{{- define "promotions.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "promotions.selector" -}}
app.kubernetes.io/name: promotions
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "promotions.labels" -}}
{{ include "promotions.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "promotions.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "promotions.name" .) .Values.serviceAccount.name }}{{ else }}{{ default "default" .Values.serviceAccount.name }}{{ end }}
{{- end }}

{{- /* What every role's pod says beside its own: who it runs as, how it reaches the servers, when it is well. Arguments: root, role, values. */ -}}
{{- define "promotions.pod" -}}
{{- $kafka := .root.Values.kafka }}
{{- $sasl := hasPrefix "SASL" $kafka.securityProtocol }}
{{- $saslSecret := default $kafka.sasl.existingSecret .values.kafkaSecret }}
{{- if and $sasl (not $saslSecret) }}{{ fail (printf "kafka.securityProtocol is %s: name kafka.sasl.existingSecret, or %s.kafkaSecret" $kafka.securityProtocol .role) }}{{ end }}
{{- if and (or $kafka.tls.caSecret $kafka.tls.clientSecret) (not (hasSuffix "SSL" $kafka.securityProtocol)) }}{{ fail "kafka.tls names certificates, and kafka.securityProtocol is without TLS: set SSL or SASL_SSL" }}{{ end }}
serviceAccountName: {{ include "promotions.serviceAccount" .root }}
automountServiceAccountToken: false
# A service of this name would put PROMOTIONS_PORT=tcp://... into the environment, which is ours.
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .root.Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1654
  runAsGroup: 1654
  fsGroup: 1654
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector: { matchLabels: { {{ include "promotions.selector" . | replace "\n" ", " }} } }
containers:
  - name: {{ .role }}
    image: "{{ .root.Values.image.repository }}:{{ default .root.Chart.AppVersion .root.Values.image.tag }}"
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: { drop: [ALL] }
    ports:
      - { name: http, containerPort: 8080 }
    env:
      - { name: PROMOTIONS_ROLES, value: {{ .role }} }
      - { name: PROMOTIONS_LISTEN, value: "0.0.0.0" }
      - { name: PROMOTIONS_PORT, value: "8080" }
      - { name: PROMOTIONS_DATA, value: /data }
      - { name: PROMOTIONS_KAFKA_BOOTSTRAP, value: {{ $kafka.bootstrap | quote }} }
      - { name: PROMOTIONS_KAFKA_GROUP, value: {{ $kafka.group | quote }} }
      {{- with $kafka.prefix }}
      - { name: PROMOTIONS_KAFKA_PREFIX, value: {{ . | quote }} }
      {{- end }}
      - { name: PROMOTIONS_KAFKA_PARTITIONS, value: {{ $kafka.partitions | quote }} }
      - { name: PROMOTIONS_KAFKA_SECURITY_PROTOCOL, value: {{ $kafka.securityProtocol }} }
      {{- if $sasl }}
      - { name: PROMOTIONS_KAFKA_SASL_MECHANISM, value: {{ $kafka.sasl.mechanism }} }
      - { name: PROMOTIONS_KAFKA_SASL_USERNAME, valueFrom: { secretKeyRef: { name: {{ $saslSecret }}, key: username } } }
      - { name: PROMOTIONS_KAFKA_SASL_PASSWORD, valueFrom: { secretKeyRef: { name: {{ $saslSecret }}, key: password } } }
      {{- end }}
      {{- if $kafka.tls.caSecret }}
      - { name: PROMOTIONS_KAFKA_SSL_CA_LOCATION, value: /etc/promotions/kafka-ca/ca.crt }
      {{- end }}
      {{- if $kafka.tls.clientSecret }}
      - { name: PROMOTIONS_KAFKA_SSL_CERTIFICATE_LOCATION, value: /etc/promotions/kafka-client/tls.crt }
      - { name: PROMOTIONS_KAFKA_SSL_KEY_LOCATION, value: /etc/promotions/kafka-client/tls.key }
      {{- end }}
      {{- range $name, $value := $kafka.settings }}
      - { name: PROMOTIONS_KAFKA_{{ $name | upper | replace "." "_" }}, value: {{ $value | quote }} }
      {{- end }}
      - { name: PROMOTIONS_POSTGRES, valueFrom: { secretKeyRef: { name: {{ .values.postgresSecret | default .root.Values.postgres.existingSecret }}, key: {{ .root.Values.postgres.key }} } } }
      {{- with .root.Values.clickhouse.existingSecret }}
      - { name: PROMOTIONS_CLICKHOUSE, valueFrom: { secretKeyRef: { name: {{ . }}, key: {{ $.root.Values.clickhouse.key }} } } }
      {{- end }}
      {{- if eq .role "admin" }}
      - { name: PROMOTIONS_ADMIN_REMOTE, value: "true" }      # browsers come through the service: put TLS before it
      {{- end }}
      {{- if eq .role "pipeline" }}
      # Static membership: a pod that comes back under its name within the session's time takes its tasks up without a rebalance.
      - { name: PROMOTIONS_KAFKA_INSTANCE_ID, valueFrom: { fieldRef: { fieldPath: metadata.name } } }
      - { name: PROMOTIONS_PIPELINE_THREADS, value: {{ .values.threads | quote }} }
      - { name: PROMOTIONS_STANDBYS, value: {{ .values.standbys | quote }} }
      {{- end }}
      {{- with .values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    startupProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 2
      failureThreshold: {{ div .root.Values.startupSeconds 2 }}
    livenessProbe:
      httpGet: { path: /healthz, port: http }
      periodSeconds: 10
      timeoutSeconds: 5
      failureThreshold: 6
    readinessProbe:
      httpGet: { path: /readyz, port: http }
      periodSeconds: 2
      timeoutSeconds: 2
      failureThreshold: 2
    {{- if has .role (list "api" "admin") }}
    lifecycle:
      preStop: { exec: { command: [sleep, "5"] } }      # load balancers let go first; then requests in flight are finished
    {{- end }}
    resources: {{- toYaml .values.resources | nindent 6 }}
    volumeMounts:
      - { name: data, mountPath: /data }
      - { name: tmp, mountPath: /tmp }
      {{- if $kafka.tls.caSecret }}
      - { name: kafka-ca, mountPath: /etc/promotions/kafka-ca, readOnly: true }
      {{- end }}
      {{- if $kafka.tls.clientSecret }}
      - { name: kafka-client, mountPath: /etc/promotions/kafka-client, readOnly: true }
      {{- end }}
      {{- if .root.Values.postgres.caSecret }}
      - { name: postgres-ca, mountPath: /etc/promotions/postgres, readOnly: true }
      {{- end }}
volumes:
  - { name: tmp, emptyDir: { sizeLimit: 64Mi } }
  {{- if ne .role "pipeline" }}
  - { name: data, emptyDir: { sizeLimit: 64Mi } }
  {{- end }}
  {{- with $kafka.tls.caSecret }}
  - { name: kafka-ca, secret: { secretName: {{ . }} } }
  {{- end }}
  {{- with $kafka.tls.clientSecret }}
  - { name: kafka-client, secret: { secretName: {{ . }} } }
  {{- end }}
  {{- with .root.Values.postgres.caSecret }}
  - { name: postgres-ca, secret: { secretName: {{ . }} } }
  {{- end }}
{{- end }}
