# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2034,SC2154 # variables of guest.sh

cases=download

prepare()
{
	mkdir -p /tmp/www
	file 100000000 /tmp/www/100MB
	file 20000000 /tmp/www/20MB
	expected_100MB=$(hash </tmp/www/100MB)
	expected_20MB=$(hash </tmp/www/20MB)
	cat >/tmp/nginx.conf <<-END
	daemon off;
	master_process on;
	worker_processes 1;
	user root;
	error_log stderr;
	pid /tmp/nginx.pid;
	events { }
	http {
		access_log off;
		sendfile on;
		client_body_temp_path /tmp/nginx-body;
		proxy_temp_path /tmp/nginx-proxy;
		fastcgi_temp_path /tmp/nginx-fastcgi;
		uwsgi_temp_path /tmp/nginx-uwsgi;
		scgi_temp_path /tmp/nginx-scgi;
		server { listen 80; root /tmp/www; }
	}
	END
}

serve()
{
	start 0:0 80 nginx -c /tmp/nginx.conf
}

# The direct link is there for the cost of a byte, and needs fewer of them.
measure()
{
	local line name=100MB expected=$expected_100MB

	if [[ $link == veth ]]; then
		name=20MB expected=$expected_20MB
	fi
	line=$(client curl -sS -o /tmp/received \
		-w '%{http_code} %{size_download} %{speed_download}' "http://$address/$name")
	status=$?
	intact /tmp/received "$expected"
	result download "$(awk '{ printf "%.3f", $3 * 8 / 1e6 }' <<<"$line")" Mbit/s 0 \
		"${line% *} $found"
	rm -f /tmp/received
}
