// Package table is the routing table in the routes Redis: the pacemaker's side
// that claims and publishes, and the routers' side that reads, in Go. nginx's
// workers read the same keys in Lua (nginx/lua/aorta), and tests here and in
// router/openresty hold both to one contract.
//
// It decides nothing about routes: what a record means is package router's.
package table
