// Package pki is the cluster's own certificate authority and what it signs: the
// certificate of the pacemaker's servers, and one for each node, made out to the
// key that the node made itself.
//
// What ends trust is the database, in which each node's key stands: a certificate
// alone opens nothing. So the times in certificates are generous, and a node whose
// clock is wrong by hours or years finds its pacemaker all the same.
package pki
