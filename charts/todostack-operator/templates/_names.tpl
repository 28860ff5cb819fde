{{- /* Names and labels that several templates use. */ -}}

{{- define "todostack-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "todostack-operator.fullname" -}}
{{- $name := include "todostack-operator.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* The name of the Deployment of one shard: of (list $ index). The only one has no suffix. */ -}}
{{- define "todostack-operator.shardName" -}}
{{- $root := first . -}}
{{- $name := include "todostack-operator.fullname" $root -}}
{{- if gt (int $root.Values.shards) 1 -}}
{{- printf "%s-%d" ($name | trunc 60 | trimSuffix "-") (last . | int) -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{- /* What tells the pods of one shard from the others: of (list $ index). */ -}}
{{- define "todostack-operator.shardLabel" -}}
{{- if gt (int (first .).Values.shards) 1 -}}
todostack.dev/shard: {{ last . | quote }}
{{- end -}}
{{- end -}}

{{- /* The Leases of this release, one for each shard, as a JSON list. As Shard::lease_name has it. */ -}}
{{- define "todostack-operator.leases" -}}
{{- $name := include "todostack-operator.fullname" . -}}
{{- $count := int .Values.shards -}}
{{- $names := list -}}
{{- range $index := until $count -}}
{{- $names = append $names (eq $count 1 | ternary $name (printf "%s-%d-of-%d" $name $index $count)) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- /* Those, and the ones that the release had: while the number of shards changes, the operators of the former
number still run. They need their Leases to stop serving in order, and release them. */ -}}
{{- define "todostack-operator.formerLeases" -}}
{{- $names := include "todostack-operator.leases" . | fromJsonArray -}}
{{- $role := printf "%s-lease" (include "todostack-operator.fullname" . | trunc 57) -}}
{{- range (lookup "rbac.authorization.k8s.io/v1" "Role" .Release.Namespace $role).rules -}}
{{- $names = concat $names (.resourceNames | default list) -}}
{{- end -}}
{{- toJson ($names | uniq) -}}
{{- end -}}

{{- define "todostack-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "todostack-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* Fails if another release manages all namespaces, as this one would: see status.operator of a stack. */ -}}
{{- define "todostack-operator.refuseSecond" -}}
{{- if and .Values.rbac.create (include "todostack-operator.watchesAll" .) -}}
{{- range (lookup "rbac.authorization.k8s.io/v1" "ClusterRole" "" "").items -}}
{{- if eq (dig "labels" "todostack.dev/watches" "" .metadata) "all-namespaces" -}}
{{- $name := dig "annotations" "meta.helm.sh/release-name" "" .metadata -}}
{{- $namespace := dig "annotations" "meta.helm.sh/release-namespace" "" .metadata -}}
{{- if or (ne $name $.Release.Name) (ne $namespace $.Release.Namespace) -}}
{{- fail (printf "release %s in namespace %s manages TodoStacks in all namespaces already: set watchNamespaces, here or there, or uninstall one of the two" $name $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Whether all namespaces are watched and managed. */ -}}
{{- define "todostack-operator.watchesAll" -}}
{{- if not (or .Values.watchNamespaceSelector (include "todostack-operator.watchNamespaces" . | fromJsonArray)) -}}
true
{{- end -}}
{{- end -}}

{{- define "todostack-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "todostack-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "todostack-operator.labels" -}}
{{ include "todostack-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: todostack
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- /* The watched namespaces by name, as a JSON list: of watchNamespaces and of watchNamespace, its former name. */ -}}
{{- define "todostack-operator.watchNamespaces" -}}
{{- $names := concat .Values.watchNamespaces (list .Values.watchNamespace) | compact | uniq | sortAlpha }}
{{- if and $names .Values.watchNamespaceSelector }}
{{- fail "watchNamespaces and watchNamespaceSelector exclude each other" }}
{{- end }}
{{- if and (not $names) (not .Values.rbac.clusterRole) }}
{{- fail "rbac.clusterRole: false needs watchNamespaces" }}
{{- end }}
{{- toJson $names }}
{{- end -}}
