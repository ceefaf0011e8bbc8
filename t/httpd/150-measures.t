#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Every figure that memory limits can measure, on a real server; and the line
# of a retirement in syslog.  The MPM makes no difference to either.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Case::Retire;
use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

# An ordinary parent may read its children's maps: they are its own user's.
for my $metric (qw(anon pss uss)) {
    my $s = AMGR::Httpd->new(mpm => 'prefork', interval => '500ms',
                             modules => ['wsgi'], name => "measure-$metric");
    my $script = $s->wsgi_script;
    my $syslog = $s->path('work/syslog');
    $s->{config} .= <<"END";
ManagerMinAge 200ms
ManagerMaxMemoryIdle 150M
ManagerMemoryMetric $metric
ManagerSyslog On
WSGIScriptAlias /app $script
END
    $s->{env} = { LD_PRELOAD => $s->build_object('syslog'),
                  AMGR_SYSLOG => $syslog };
    $s->start;
    AMGR::Case::Retire::grow_up($s);
    my @before = $s->children;
    my $pid = AMGR::Case::Retire::leak($s, 200);
    AMGR::Case::Retire::gone($s, $pid, 30, "$metric: the leaking worker is gone");
    AMGR::Case::Retire::all_live("$metric: nobody else",
                                 grep { $_ != $pid } @before);
    my $record = AMGR::Case::Retire::record($s, $pid);
    cmp_ok($record->{measured}, '>', 200 << 20, "$metric: what was measured");
    my @lines = $s->log_lines(
        qr/Killing native worker $pid .*: $metric \d+ bytes over ManagerMax/);
    is(scalar @lines, 1, "$metric: the log names it") or diag(@lines);
    ok(wait_until(sub { -s $syslog }, 30, 'syslog'), "$metric: syslog is told");
    like(AMGR::Httpd::slurp($syslog),
         qr/\Aapache-manager \d+ NOTICE Killing native worker $pid \(idle\) using [^\n]+\n\z/,
         "$metric: one line, in the words that filters look for");
    $s->stop_ok;
}
done_testing();
