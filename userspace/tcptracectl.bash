# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# bash completion of tcptracectl

_tcptracectl_values() {
	case $1 in
	state | --state)
		echo closed listen syn-sent syn-received established fin-wait-1 \
			fin-wait-2 close-wait closing last-ack time-wait ;;
	event | --event)
		echo syn syn-ack established fin fin-acked rst retransmit invalid \
			icmp-error pickup reuse timeout evict end snapshot ;;
	handshake)
		echo established refused reset unreachable no-answer half-open \
			aborted unseen ;;
	close)
		echo orderly reset-by-initiator reset-by-responder idle-timeout \
			evicted flushed unknown none ;;
	-t | --time)
		echo wall rel rfc3339 epoch none ;;
	*)
		return 1 ;;
	esac
}

_tcptracectl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local words

	case $before in
	-r | --read | --device | record)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	esac
	if ! words=$(_tcptracectl_values "$before"); then
		words="host net port state event flow netns handshake close failed
			ip ip6 src dst and or not"
		[ "$COMP_CWORD" != 1 ] || words="flows record stats flush $words"
		case $word in
		-*)
			words="-4 -6 --host --net --port --state --event --failed
				--flow --netns --read --new --existing --dump
				--count --json --wide --time --absolute
				--no-header --quiet --verbose --device --version
				--help" ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _tcptracectl tcptracectl
