#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# A daemon of mod_wsgi gives itself the title that tells its group when it runs
# for the first time: on a busy machine, where many are forked at once, that is
# seconds after its fork.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use AMGR::Httpd qw(wait_until);
use Apache::Test qw(-withtestmore);

use constant SOON => 30;

my $s = AMGR::Httpd->new(mpm => 'event', modules => ['wsgi'],
                         interval => '300ms');
my $dir = $s->path('work/decoy');
mkdir $dir or die "$dir: $!\n";
%{ $s->{env} } = (AMGR_DECOY => '/bin/false', AMGR_DECOY_DIR => $dir,
                  AMGR_DECOY_TITLE => '(wsgi:shop)');
my $decoy = $s->build_object('mod_decoy');
$s->set_config(<<"END");
LoadModule decoy_module $decoy
WSGIDaemonProcess shop threads=2 home=/ display-name=%{GROUP}
END
$s->expect_log(qr/\[wsgi:/);
$s->start;

my $late;
ok(wait_until(sub { ($late) = AMGR::Httpd::slurp("$dir/fork.pid") =~ /^(\d+)$/m },
              SOON, 'its pid'), 'a fork that has no title yet');

# As which group's the process is shown.
sub shown {
    my ($one) = grep { $_->{pid} == $late } @{ $s->json->{processes} };
    return $one ? $one->{group} : 'nobody';
}

sub becomes {
    my ($want, $name) = @_;
    my $is;
    ok(wait_until(sub { ($is = shown()) eq $want }, SOON, $want), $name)
        or diag("it is: $is");
    return;
}

becomes('daemon', 'is shown after a second all the same');
ok($s->wait_ticks(2), 'and has been looked at again');
open my $fh, '>', "$dir/title" or die "title: $!\n";
close $fh or die "title: $!\n";
becomes('shop', 'its group is told as soon as its title is');
is(scalar(grep { $_->{group} eq 'shop' } @{ $s->json->{processes} }), 2,
   'beside the daemon that had its title at once');
ok($s->wait_ticks(2), 'two more looks');
is(shown(), 'shop', 'and it stays what it is');
$s->stop_ok;
done_testing();
