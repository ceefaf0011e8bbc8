# SPDX-License-Identifier: Apache-2.0
#
# Instructions of ours in an ordinary request, counted by callgrind: what runs
# in our object and in what it calls, without httpd's own dispatch of hooks.
# Two runs that differ only in the number of requests; the difference is what
# a request costs.
package Bench::Request;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Bench::Client qw(keep_asking);
use File::Basename qw(basename);

use constant {
    FEW       => 200,
    MANY      => 1200,
    READY_SEC => 120, # of a managed process whose guard runs under callgrind
    OBJECT    => 'mod_apache_manager.so',
};

# Directives, each beside the same configuration without it: a section costs
# httpd something whatever it says.
my $process = <<'END';
<ManagedProcess app>
    Command /bin/sleep 1000
    PassEnv AMGR_TEST_SERVER
</ManagedProcess>
END
my @directives = (
    ['limit-server', "ManagerMaxTime 10m\n", ''],
    ['limit-location', in_location('ManagerMaxTime 10m'),
     in_location('Options None')],
    ['limit-off', "ManagerMaxTime 10m\n" . in_location('ManagerMaxTime Off'),
     in_location('Options None')],
    ['gate', $process . in_location('ManagerGate app'),
     $process . in_location('Options None')],
);

sub in_location {
    my ($directive) = @_;
    return "<Location \"/\">\n$directive\n</Location>\n";
}

sub measure {
    my ($report) = @_;
    my $before = per_request(0);
    my %with = map { $_ => profile($_, 1) } FEW, MANY;
    my $requests = MANY - FEW;
    my ($hooks, $instructions) = (0, 0);
    for my $name (keys %{ $with{+MANY}{entered} }) {
        my $few = $with{+FEW}{entered}{$name} // { calls => 0, cost => 0 };
        my $many = $with{+MANY}{entered}{$name};
        my $calls = $many->{calls} - $few->{calls};
        next if $calls < $requests / 2; # once in a while, not at requests
        $hooks += $calls / $requests;
        $instructions += ($many->{cost} - $few->{cost}) / $requests;
    }
    $hooks or die "no hook of ours was called: is this what was loaded?\n";
    my $note = 'callgrind, two runs that differ by 1,000 requests';
    $report->add('hooks', figures => [$hooks, $instructions],
                 base => [$before], note => $note);
    my %base; # by configuration
    for (@directives) {
        my ($key, $with, $without) = @$_;
        my $base = $base{$without} //= per_request(1, $without);
        $report->add($key, figures => [per_request(1, $with) - $base],
                     base => [$base], note => $note);
    }
    return;
}

# Instructions of a request, all in all.
sub per_request {
    my ($manager, $config) = @_;
    my %run = map { $_ => profile($_, $manager, $config) } FEW, MANY;
    return ($run{+MANY}{total} - $run{+FEW}{total}) / (MANY - FEW);
}

# One server with one process under callgrind, so many requests, its profile.
sub profile {
    my ($requests, $manager, $config) = @_;
    $config //= '';
    my $server = Bench::Request::Httpd->new(
        mpm => 'prefork', manager => $manager, location => $manager,
        args => ['-X'], as_user => user(),
        config => <<"END");
ExtendedStatus On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
$config
END
    $server->start;
    my $file = $server->path('work/callgrind.' . $server->parent_pid);
    wait_ready($server) if $config =~ /<ManagedProcess/;
    keep_asking($server->port, '/index.html', $requests);
    # One process that serves and never was a parent leaves its board behind.
    my @wrong = grep { /^process/ } $server->stop;
    die "callgrind: @wrong\n" if @wrong;
    -s $file or die "callgrind wrote no $file\n";
    return read_profile($file);
}

# Before that a gate is shut.  The log tells, for a request would count.
sub wait_ready {
    my ($server) = @_;
    wait_until(sub {
        $server->log_text =~ / process app: .* -> READY\b/;
    }, READY_SEC, 'the managed process') or die "it did not become ready\n";
    return;
}

# Callgrind cannot write its file any more once httpd has changed its user.
sub user { return $> == 0 ? scalar getpwnam 'www-data' : undef }

# Sums by what callgrind lists for each function: its own cost, and below each
# "calls=" the whole cost of those calls.  "cob=" and "cfn=" say what the next
# call calls, and "cob=" counts for that call alone.
sub read_profile {
    my ($file) = @_;
    my %profile = (total => 0, entered => {});
    my ($object, $called_object, $called, $calls) = ('', '', '', 0);
    open my $in, '<', $file or die "$file: $!\n";
    while (my $line = <$in>) {
        if ($line =~ /^ob=(.*)/) {
            $object = $called_object = basename($1);
        }
        elsif ($line =~ /^cob=(.*)/) {
            $called_object = basename($1);
        }
        elsif ($line =~ /^cfn=(.*)/) {
            $called = $1;
        }
        elsif ($line =~ /^calls=(\d+)/) {
            $calls = $1;
            my (undef, $cost) = split ' ', scalar <$in>;
            # From httpd into our object: a hook, with all that it calls.
            if ($called_object eq OBJECT && $object ne OBJECT) {
                $profile{entered}{$called}{calls} += $calls;
                $profile{entered}{$called}{cost} += $cost;
            }
            $called_object = $object;
        }
        elsif ($line =~ /^[+*\-\d]\S* (\d+)/) {
            $profile{total} += $1;
        }
    }
    close $in;
    return \%profile;
}

# The same private server, its httpd run by callgrind.
package Bench::Request::Httpd;

our @ISA = ('AMGR::Httpd');

sub become_httpd {
    my ($self, @args) = @_;
    open STDIN, '<', '/dev/null';
    local %ENV = (PATH => '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL => 'C.UTF-8',
                  AMGR::Httpd::MARK() => $self->{root},
                  LD_PRELOAD => $self->build_object('pidfds'));
    my $uid = $self->{as_user};
    my @as = defined $uid
        ? ("--reuid=$uid", '--regid=' . (getpwuid $uid)[3], '--clear-groups')
        : ();
    exec 'setpriv', @as, '--pdeathsig', 'TERM',
        'valgrind', '--tool=callgrind', '--vgdb=no', '--compress-strings=no',
        '--compress-pos=no',
        '--callgrind-out-file=' . $self->path('work/callgrind.%p'),
        AMGR::Httpd::httpd_program(), @args
        or POSIX::_exit(127);
}

1;
