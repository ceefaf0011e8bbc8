# SPDX-License-Identifier: Apache-2.0
#
# Where and when: the processor, the kernel, httpd and the day, and how busy
# the machine was with other things.
package Bench::Machine;

use strict;
use warnings;

use AMGR::Httpd ();
use POSIX ();

# One line.
sub about {
    my $cpus = AMGR::Httpd::slurp('/proc/cpuinfo');
    my ($model) = $cpus =~ /^model name\s*:\s*(.*?)\s*$/m;
    my $count = () = $cpus =~ /^processor\s*:/mg;
    my ($kb) = AMGR::Httpd::slurp('/proc/meminfo') =~ /^MemTotal:\s+(\d+) kB/;
    my $program = AMGR::Httpd::httpd_program();
    my ($httpd) = `$program -v` =~ m{Apache/(\d[\d.]*)};
    my ($version) = AMGR::Httpd::slurp(AMGR::Httpd::repo_dir()
        . '/src/base/base.h') =~ /^#define AMGR_VERSION "(.*)"/m;
    return sprintf 'mod_apache_manager %s, %s: %s, %d %s, %.0f GB; Linux %s, '
        . 'httpd %s.', $version, POSIX::strftime('%Y-%m-%d', gmtime),
        $model // 'a processor without a name', $count,
        $count == 1 ? 'core' : 'cores', $kb * 1024 / 1e9,
        (POSIX::uname())[2] =~ /^([\d.]*\d)/, $httpd // 'of an unknown version';
}

# What that looks like.
sub pattern {
    return qr/^mod_apache_manager\ [\d.]+,\ \d{4}-\d\d-\d\d:\ .+,
        \ \d+\ cores?,\ \d+\ GB;\ Linux\ \S+,\ httpd\ [\d.]+\.$/x;
}

# How many want to run, on average of a minute.
sub load {
    my ($load) = AMGR::Httpd::slurp('/proc/loadavg') =~ /^([\d.]+)/;
    return $load;
}

# The processors that this process may run on.
sub processors {
    my ($list) = AMGR::Httpd::slurp('/proc/self/status')
        =~ /^Cpus_allowed_list:\s*(\S+)/m;
    return map { /^(\d+)-(\d+)$/ ? $1 .. $2 : $_ } split /,/, $list;
}

# This process, and what it starts from now on, on these alone.
sub keep_to {
    my @processors = @_;
    my $list = join ',', @processors;
    my $said = `taskset -p -c $list $$ 2>&1`;
    die "taskset: $said\n" if $?;
    return;
}

1;
