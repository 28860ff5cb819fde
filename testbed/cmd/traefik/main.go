// Traefik's Kubernetes Ingress provider, rules and load balancer around Go's HTTP server and reverse proxy.
// Traefik's own main package links every provider and the SDKs of a hundred DNS hosts: a third of the time
// that the local cluster needs to build. This one takes the arguments in manifests/traefik.yaml and no
// others, and ignores annotations that name Traefik's middlewares.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/traefik/paerser/types"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/middlewares/requestdecorator"
	muxer "github.com/traefik/traefik/v3/pkg/muxer/http"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/ingress"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/server/service/loadbalancer/wrr"
	"github.com/traefik/traefik/v3/pkg/tls/generate"
)

// routing is what the cluster's Ingresses ask for; each change of them replaces it whole.
type routing struct {
	routes       http.Handler
	certificates []tls.Certificate
}

var (
	current  atomic.Pointer[routing]
	fallback *tls.Certificate // for a host name without a certificate
)

// DisableCompression: the backend is asked for gzip by clients alone.
var pool = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 200, IdleConnTimeout: time.Minute}

func main() {
	var endpoint ingress.EndpointIngress
	flag.StringVar(&endpoint.IP, "providers.kubernetesingress.ingressendpoint.ip", "", "for their status")
	web := flag.String("entrypoints.web.address", ":80", "address that serves HTTP")
	websecure := flag.String("entrypoints.websecure.address", ":443", "address that serves HTTPS")
	for _, name := range []string{"providers.kubernetesingress", "entrypoints.websecure.http.tls", "ping",
		"global.checknewversion", "global.sendanonymoususage"} {
		flag.Bool(name, false, "accepted and fixed: as in manifests/traefik.yaml")
	}
	flag.Parse()
	zerolog.SetGlobalLevel(zerolog.ErrorLevel)
	current.Store(&routing{routes: http.NotFoundHandler()})
	changes := make(chan dynamic.Message)
	// Every change of a pod's readiness has all Ingresses read again: at most ten times a second.
	throttle := types.Duration(100 * time.Millisecond)
	provider := ingress.Provider{IngressEndpoint: &endpoint, ThrottleDuration: throttle}
	must(provider.Provide(changes, safe.NewPool(context.Background())))
	http.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("OK")) })
	go func() { must(http.ListenAndServe(":8080", nil)) }()
	serve := func(w http.ResponseWriter, r *http.Request) { current.Load().routes.ServeHTTP(w, r) }
	handler, err := requestdecorator.WrapHandler(requestdecorator.New(nil))(http.HandlerFunc(serve))
	must(err)
	go func() { must(http.ListenAndServe(*web, handler)) }()
	fallback, err = generate.DefaultCertificate()
	must(err)
	config := &tls.Config{GetCertificate: certificate}
	secure := http.Server{Addr: *websecure, Handler: handler, TLSConfig: config}
	go func() { must(secure.ListenAndServeTLS("", "")) }()

	parser, err := muxer.NewSyntaxParser()
	must(err)
	for change := range changes {
		current.Store(&routing{routes(change.Configuration, parser), certificates(change.Configuration)})
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, certificate := range current.Load().certificates {
		if hello.SupportsCertificate(&certificate) == nil {
			return &certificate, nil
		}
	}
	return fallback, nil
}

func certificates(configuration *dynamic.Configuration) (usable []tls.Certificate) {
	if configuration.TLS == nil {
		return nil
	}
	for _, entry := range configuration.TLS.Certificates {
		certificate, err := entry.GetCertificate()
		if err != nil {
			log.Printf("failed to read the certificate of an Ingress: %v", err)
			continue
		}
		usable = append(usable, certificate)
	}
	return usable
}

func routes(configuration *dynamic.Configuration, parser muxer.SyntaxParser) http.Handler {
	routes := muxer.NewMuxer(parser)
	for name, router := range configuration.HTTP.Routers {
		service := configuration.HTTP.Services[router.Service].LoadBalancer
		backends := wrr.New(service.Sticky, false)
		for _, server := range service.Servers {
			target, _ := url.Parse(server.URL) // never fails: an IP address and a port
			backends.AddServer(server.URL, proxy(target), server)
		}
		// The longer rule wins, as in Traefik.
		if err := routes.AddRoute(router.Rule, "", muxer.GetRulePriority(router.Rule), backends); err != nil {
			log.Printf("failed to add the route %s: %v", name, err)
		}
	}
	return routes
}

// proxy passes a request on with its path, query and host as they came.
func proxy(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{Transport: pool, Rewrite: func(request *httputil.ProxyRequest) {
		request.Out.URL.Scheme, request.Out.URL.Host = target.Scheme, target.Host
		request.Out.URL.RawQuery = request.In.URL.RawQuery
		request.Out.Header.Del("X-Forwarded-Prefix") // the client's, like those that SetXForwarded replaces
		request.SetXForwarded()
	}}
}
