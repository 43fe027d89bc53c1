#!/bin/sh
# SPDX-License-Identifier: MIT
/usr/bin/pgbouncer /etc/pgbouncer/pgbouncer.ini
