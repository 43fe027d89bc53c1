// SPDX-License-Identifier: MIT

// Package main is every Kubernetes program of the lab in one binary, as k3s does it: etcd, the control plane, kubelet,
// kube-proxy, kubectl and CoreDNS share most of their code, so that one build and one file on disk serve them all.
// The name it is called by (a symbolic link), or its first argument, says which program it is.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// The programs that are cobra commands; etcd and CoreDNS have a main function of their own.
var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kubectl":                 func() *cobra.Command { return kubectl.NewDefaultKubectlCommand() },
}

func main() {
	program := filepath.Base(os.Args[0])
	if !known(program) && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		program = os.Args[0]
	}
	switch {
	case program == "etcd":
		etcdmain.Main(os.Args)
	case program == "coredns":
		// The order of the plugins in a server's chain; only these are linked in.
		dnsserver.Directives = []string{"bind", "ready", "errors", "cache", "template", "kubernetes"}
		coremain.Run()
	case commands[program] != nil:
		os.Exit(cli.Run(commands[program]()))
	default:
		fmt.Fprintf(os.Stderr, "%s: no such program; there are: %s\n", program, strings.Join(programs(), ", "))
		os.Exit(2)
	}
}

func known(program string) bool {
	return slices.Contains(programs(), program)
}

func programs() []string {
	names := []string{"coredns", "etcd"}
	for name := range commands {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
