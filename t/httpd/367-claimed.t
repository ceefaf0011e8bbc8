#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A worker writes that a row of the scoreboard is a daemon's of mod_wsgi: that
# makes nobody a worker, and its limits hold.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

my $s = AMGR::Httpd->new(mpm => 'prefork', modules => ['wsgi'],
                         interval => '300ms');
my $scribble = $s->build_object('mod_scribble');
my $wsgi = $s->wsgi_script;
$s->set_config(<<"END");
LoadModule scribble_module $scribble
<Location "/scribble">
    SetHandler scribble
</Location>
ManagerMinAge 1s
WSGIDaemonProcess shop threads=2 home=/ display-name=%{GROUP}
WSGIScriptAlias /shop $wsgi process-group=shop
<ManagerGroup shop>
    ManagerMaxLifetime 4s 0%
</ManagerGroup>
END
# What httpd makes of rows that are another's.
$s->expect_log(qr/AH00\d\d\d: long lost child came home/, qr/\[wsgi:/,
               qr/AMGR0015: \d+ rows of the scoreboard name another process/);
$s->start;

sub daemons { return grep { $_->{group} eq 'shop' } @{ $s->json->{processes} } }

my $pid;
ok(wait_until(sub { ($pid) = map { $_->{pid} } daemons() }, SOON, 'it'),
   'a daemon of mod_wsgi');
is($s->get("/scribble?pids=$pid")->code, 200, 'a row is said to be its');
ok(wait_until(sub { $s->log_lines(qr/AMGR0001: Killing WSGI worker $pid /) },
              SOON, 'its end'), 'its limit holds');
$s->stop_ok;
done_testing();
