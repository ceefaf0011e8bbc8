# SPDX-License-Identifier: Apache-2.0
#
# A private Prometheus for one test: Debian's program with a configuration of
# the test's, on a free port of 127.0.0.1, its storage in a directory of its
# own.
#
#   my $p = AMGR::Prometheus->new(config => $text,
#                                 files => { 'x.rules.yml' => $rules });
#   my $vector = $p->query('up == 1');         # list of { metric, value }
#   my $api = $p->api('targets');              # the data of an answer
#   $p->stop_ok;
#
# The rules are those of AMGR::Httpd: only the process started here is ended,
# by pid, and it ends with the test, whatever way that ends.
package AMGR::Prometheus;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until);
use Apache::TestUtil ();
use Cwd ();
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path ();
use File::Spec;
use File::Temp ();
use JSON::PP ();
use LWP::UserAgent;
use POSIX qw(WNOHANG);
use Test::Builder;
use Time::HiRes qw(sleep time);
use URI ();

our @EXPORT_OK = qw(promtool);

use constant {
    POLL_SEC  => 0.03,
    START_SEC => 60, # a cold start on a loaded machine
    STOP_SEC  => 60,
};

my %running; # by address: what END has to end
my $owner = $$;

# The output of promtool and its exit status; `input` goes to its standard
# input.
sub promtool {
    my ($args, %opt) = @_;
    my $in = File::Temp->new;
    binmode $in;
    print {$in} $opt{input} // '';
    close $in;
    my $out = File::Temp->new;
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        chdir $opt{dir} or POSIX::_exit(127) if $opt{dir};
        open STDIN, '<', "$in";
        open STDOUT, '>', "$out";
        open STDERR, '>&', \*STDOUT;
        exec 'promtool', @$args or POSIX::_exit(127);
    }
    waitpid $pid, 0;
    my $status = $? >> 8;
    die "promtool cannot be run (make deps-test)\n" if $status == 127;
    return (AMGR::Httpd::slurp("$out"), $status);
}

# Options: config, the text of prometheus.yml; files, more files beside it.
sub new {
    my ($class, %opt) = @_;
    my $root = File::Temp::tempdir('amgr-prometheus-XXXXXX',
                                   DIR => File::Spec->tmpdir);
    my $self = bless { root => Cwd::abs_path($root) }, $class;
    $running{$self} = $self;
    my %files = (%{ $opt{files} // {} }, 'prometheus.yml' => $opt{config});
    for my $name (sort keys %files) {
        File::Path::make_path(dirname("$root/$name"));
        open my $fh, '>:raw', "$root/$name" or die "$root/$name: $!\n";
        print {$fh} $files{$name};
        close $fh or die "$root/$name: $!\n";
    }
    $self->{agent} = LWP::UserAgent->new(timeout => 20, keep_alive => 1);
    $self->start;
    return $self;
}

sub root { return $_[0]{root} }
sub url  { return $_[0]{base} }
sub log_text { return AMGR::Httpd::slurp("$_[0]{root}/log") }

# Another may take the port between the look and the start.
sub start {
    my ($self) = @_;
    for my $try (1 .. 5) {
        my $why = $self->try_start or return;
        die "prometheus did not start (make deps-test): $why\n"
            if $why !~ /address already in use/ || $try == 5;
    }
}

sub try_start {
    my ($self) = @_;
    my $root = $self->{root};
    my $port = AMGR::Httpd::free_port();
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$root/log";
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', 'env', '-i',
            'PATH=/usr/local/bin:/usr/bin:/bin', 'LC_ALL=C.UTF-8',
            "HOME=$root", 'prometheus', "--config.file=$root/prometheus.yml",
            "--storage.tsdb.path=$root/data",
            "--web.listen-address=127.0.0.1:$port"
            or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    $self->{base} = "http://127.0.0.1:$port";
    my $is_gone;
    my $is_ready = wait_until(sub {
        return $is_gone = 1 if waitpid($pid, WNOHANG) != 0;
        return $self->{agent}->get("$self->{base}/-/ready")->code == 200;
    }, START_SEC, 'prometheus') && !$is_gone;
    return if $is_ready;
    my $why = $self->log_text || 'no word of it';
    delete $self->{pid} if $is_gone;
    $self->stop;
    return $why;
}

# ---- asking ---------------------------------------------------------------

# The data of an answer of the API; dies with its error.
sub api {
    my ($self, $path, %query) = @_;
    my $uri = URI->new("$self->{base}/api/v1/$path");
    $uri->query_form(map { $_ => $query{$_} } sort keys %query);
    my $answer = $self->{agent}->get($uri);
    my $data = eval { JSON::PP->new->utf8->decode($answer->content) } // {};
    die "$path (" . join(' ', %query) . '): '
        . ($data->{error} // $answer->status_line) . "\n"
        if ($data->{status} // '') ne 'success';
    return $data->{data};
}

# Samples of now: { metric => { labels }, value => number }.
sub query {
    my ($self, $expr) = @_;
    my $data = $self->api('query', query => $expr);
    return map { { metric => $_->{metric}, value => $_->{value}[1] } }
        @{ $data->{result} };
}

# The one value of an expression that has one; undef for none.
sub value {
    my ($self, $expr) = @_;
    my @samples = $self->query($expr);
    die "$expr has " . @samples . " samples\n" if @samples > 1;
    return @samples ? $samples[0]{value} : undef;
}

# Series from a moment on: { metric => { labels }, values => [numbers] }.
sub query_range {
    my ($self, $expr, $start, $step_sec) = @_;
    my $data = $self->api('query_range', query => $expr, start => $start,
                          end => time, step => $step_sec);
    return map { { metric => $_->{metric},
                   values => [map { $_->[1] } @{ $_->{values} }] } }
        @{ $data->{result} };
}

sub alerts { my ($self) = @_; return @{ $self->api('alerts')->{alerts} } }

# ---- the end --------------------------------------------------------------

# Returns what went wrong, in words.
sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    my $deadline = time + STOP_SEC;
    kill 'TERM', $pid;
    while (waitpid($pid, WNOHANG) == 0) {
        if (time > $deadline) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
            return "prometheus $pid did not end";
        }
        sleep POLL_SEC;
    }
    return;
}

# Stop, and one test: it ran until now and has found nothing wrong.
sub stop_ok {
    my ($self, $name) = @_;
    my $test = Test::Builder->new;
    my $ran = $self->{pid} && waitpid($self->{pid}, WNOHANG) == 0;
    my @wrong = map { "logged: $_" }
        grep { /level=(?:warn|error)/ } split /\n/, $self->log_text;
    push @wrong, 'it was not running any more' unless $ran;
    push @wrong, $self->stop;
    my $ok = $test->ok(!@wrong, $name // 'prometheus: a clean end');
    $test->diag($_) for @wrong;
    return $ok;
}

END {
    if ($$ == $owner) {
        my $status = $?;
        for my $prometheus (values %running) {
            $prometheus->stop;
            if ($ENV{AMGR_KEEP}) {
                Test::Builder->new->diag("kept: $prometheus->{root}");
            }
            else {
                Apache::TestUtil::t_rmtree($prometheus->{root});
            }
        }
        $? = $status;
    }
}

1;
