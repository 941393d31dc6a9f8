{{- define "padim.labels" -}}
app.kubernetes.io/name: padim
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "padim.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ if .Values.gpu.enabled }}-gpu{{ end }}
{{- end }}

{{- define "padim.security" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
{{- end }}

{{- define "padim.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1654
runAsGroup: 1654
fsGroup: 1654
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "padim.environment" -}}
- configMapRef:
    name: {{ .Release.Name }}
- secretRef:
    name: {{ .Values.existingSecret }}
{{- end }}

{{- /* A deployment: the root context, the component, its values, and the number of jobs at a time. */ -}}
{{- define "padim.deployment" -}}
{{- $root := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $root.Release.Name }}-{{ .component }}
  labels:
    {{- include "padim.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if .fixed }}
  replicas: {{ .values.replicas }}
  {{- end }}
  strategy:
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: padim
      app.kubernetes.io/instance: {{ $root.Release.Name }}
      app.kubernetes.io/component: {{ .component }}
  template:
    metadata:
      labels:
        {{- include "padim.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
      annotations:
        # Replicas start again when a setting changes.
        checksum/settings: {{ toJson $root.Values.settings | sha256sum }}
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
        prometheus.io/path: /metrics
    spec:
      serviceAccountName: {{ $root.Release.Name }}
      automountServiceAccountToken: false
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      terminationGracePeriodSeconds: {{ add $root.Values.drainSeconds 30 }}
      securityContext:
        {{- include "padim.podSecurity" $root | nindent 8 }}
      topologySpreadConstraints:
        {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              app.kubernetes.io/name: padim
              app.kubernetes.io/instance: {{ $root.Release.Name }}
              app.kubernetes.io/component: {{ $.component }}
        {{- end }}
      {{- if $root.Values.gpu.enabled }}
      tolerations:
        - key: {{ $root.Values.gpu.resource }}
          operator: Exists
          effect: NoSchedule
      {{- end }}
      containers:
        - name: padim
          image: {{ include "padim.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          ports:
            - name: http
              containerPort: 8080
          envFrom:
            {{- include "padim.environment" $root | nindent 12 }}
          env:
            - name: Padim__Role
              value: {{ .component }}
            {{- with .values.workers }}
            - name: Padim__JobWorkers
              value: {{ . | quote }}
            {{- end }}
            {{- if $root.Values.gpu.enabled }}
            - name: Padim__Device
              value: cuda
            {{- end }}
          startupProbe:
            httpGet:
              path: /health/live
              port: http
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet:
              path: /health/live
              port: http
            periodSeconds: 10
            failureThreshold: 3
          readinessProbe:
            httpGet:
              path: /health/ready
              port: http
            periodSeconds: 5
            # While the database is away, the answer takes a second.
            timeoutSeconds: 3
            failureThreshold: 2
          resources:
            requests:
              cpu: {{ .values.cpu | quote }}
              memory: {{ .values.memory }}
            limits:
              memory: {{ .values.memory }}
              {{- if $root.Values.gpu.enabled }}
              {{ $root.Values.gpu.resource }}: 1
              {{- end }}
          securityContext:
            {{- include "padim.security" $root | nindent 12 }}
          volumeMounts:
            - name: data
              mountPath: /data
            - name: tmp
              mountPath: /tmp
      volumes:
        # Copies and caches only: what counts is in the database and in the bucket.
        - name: data
          emptyDir:
            sizeLimit: {{ .values.disk }}
        - name: tmp
          emptyDir:
            sizeLimit: 1Gi
{{- end }}
