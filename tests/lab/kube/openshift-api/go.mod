// Where OpenShift's custom resource definitions come from: YAML files inside this module; nothing of it is compiled.
module rhpds.litemaas/lab/openshift-api

go 1.24.0

require github.com/openshift/api v0.0.0-20250725072657-92b1455121e1
