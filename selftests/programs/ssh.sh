# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of guest.sh

bytes=5000000
cases="pipe:path:varies scp-up:path scp-down"
options=(-i /root/.ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
	 -o LogLevel=ERROR)
# Of the ciphers the one that the processor has instructions for, and the cheapest key
# exchange: what is measured is the network.
options+=(-c aes128-gcm@openssh.com -o KexAlgorithms=curve25519-sha256)

prepare()
{
	(on client 0:0 ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/host_key)
	(on client 0:0 ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id)
	cp "$root/root/.ssh/id.pub" "$root/root/.ssh/authorized_keys"
	cp /bin/busybox "$root/usr/bin/cat"
	cat >"$root/etc/ssh/test_config" <<-END
	Port 22
	HostKey /etc/ssh/host_key
	PermitRootLogin yes
	UsePAM no
	StrictModes no
	Subsystem sftp /usr/lib/openssh/sftp-server
	END
	file $bytes /tmp/ssh-file
	expected=$(hash </tmp/ssh-file)
}

serve()
{
	start 0:0 22 /usr/sbin/sshd -D -e -f /etc/ssh/test_config
}

# transfer CASE STATUS COMMAND...: that makes /tmp/ssh-copy of /tmp/ssh-file
transfer()
{
	rm -f /tmp/ssh-copy
	timed $bytes "${@:3}"
	intact /tmp/ssh-copy "$expected"
	result "$1" "$mbit" Mbit/s "$2" "$found"
}

# In both directions at once.
pipe()
{
	client ssh "${options[@]}" "$address" 'cat; exit 7' </tmp/ssh-file >/tmp/ssh-copy
}

measure()
{
	local copy=/tmp/ssh-copy

	if [[ $link == path ]]; then
		transfer pipe 7 pipe
		transfer scp-up 0 client scp "${options[@]}" /tmp/ssh-file "$address:$copy"
	fi
	transfer scp-down 0 client scp "${options[@]}" "$address:/tmp/ssh-file" $copy
}
