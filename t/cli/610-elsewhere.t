#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Servers that the tool cannot give orders to, one without a file for its board
# among them, and one that it finds by its PidFile alone, since its
# configuration was changed after its start.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Cli qw(cli);
use AMGR::Httpd;
use Apache::Test qw(-withtestmore);

sub refuses {
    my ($what, $code, $err, @args) = @_;
    my $r = cli(@args);
    ok($r->{code} == $code && $r->{out} eq '' && $r->{err} =~ $err, $what)
        || diag("exit code $r->{code}: $r->{out}$r->{err}");
    return;
}

my $plain = AMGR::Httpd->new(mpm => 'event', manager => 0, location => 0,
                             name => 'plain')->start;
my $empty = AMGR::Httpd->new(mpm => 'prefork', name => 'empty')->start;

# ---- orders ------------------------------------------------------------------

for my $order (['start', 'web'], ['stop', 'web'], ['restart', 'web']) {
    my $pid = $plain->parent_pid;
    refuses("@$order: without the module", 1,
            AMGR::Httpd::is_root()
                ? qr/server with pid $pid has no board: is mod_apache_manager/
                : qr/server with pid $pid/,
            '--url', $plain->url('/'), @$order);
    $pid = $empty->parent_pid;
    refuses("@$order: without a managed process", 1,
            qr/server with pid $pid has no managed processes$/m,
            '--url', $empty->url('/'), @$order);
}
my $single = AMGR::Httpd->new(mpm => 'prefork', name => 'single',
                              args => ['-X'])->start;
my $r = cli('-v', '--url', $single->url('/manager-status'));
is($r->{code}, 0, '-X: it is read') or diag($r->{err});
like($r->{err}, qr/ \(status\.json\)$/m, '... from its page');
my $pid = $single->parent_pid;
refuses('... and takes no orders', 1, qr/server with pid $pid/,
        '--url', $single->url('/'), 'stop', 'web');
$single->stop_ok;
refuses('a server elsewhere', 1, qr/^apache-manager: \S+ is not this machine: /,
        '--url', 'http://192.0.2.1/', 'start', 'web');

# ---- a configuration that is not in force yet -------------------------------

# As httpd.conf is now it would listen at another port.
my $other = AMGR::Httpd::free_port();
my ($file, $was) = ($plain->path('conf/httpd.conf'), $plain->config_text);
sub configure {
    my ($pid_file) = @_;
    my $text = $was =~ s/^Listen .*/Listen 127.0.0.1:$other/mr;
    $text =~ s/^PidFile .*/PidFile "$pid_file"/m or die "no PidFile\n";
    return $plain->write('conf/httpd.conf', $text);
}
my %env = (env => { APACHE_CONFDIR => $plain->path('conf') });

configure($plain->path('run/httpd.pid'));
$r = cli({ %env }, 'tree');
is($r->{code}, 0, 'found by its PidFile') or diag($r->{err});
my $parent = $plain->parent_pid;
like($r->{out}, qr/\b$parent\b/, '... and it is that one');

for my $text ('', 'x', '-1', "1\n", "$parent x", '99999999999') {
    my $name = $plain->write('work/pid', $text);
    configure($name);
    refuses("a PidFile of '" . ($text =~ s/\n/\\n/r) . "'", 1,
            qr/does not run: none listens at port $other of 127\.0\.0\.1: choose another/,
            { %env }, 'tree');
}
configure($plain->path('work/none'));
refuses('a PidFile that is not there', 1, qr/does not run: /, { %env }, 'tree');
$plain->write('conf/httpd.conf', $was);
$plain->stop_ok;
$empty->stop_ok;
done_testing();
