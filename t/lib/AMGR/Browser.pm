# SPDX-License-Identifier: Apache-2.0
#
# A headless Chromium for one test, driven by Debian's chromedriver in the
# words of WebDriver.
#
#   my $b = AMGR::Browser->new;
#   $b->go($server->url('/manager-status'));
#   ok($b->find('#verdict'));
#   $b->stop_ok;
#
# The rules are those of AMGR::Httpd: only processes started here are ended, by
# pid, and none stays, whatever way the test ends.  The browser talks to
# 127.0.0.1 alone and keeps its files in a directory of its own.
package AMGR::Browser;

use strict;
use warnings;

use AMGR::Httpd qw(wait_until build_dir);
use Apache::TestUtil ();
use File::Spec;
use File::Temp ();
use HTTP::Request ();
use JSON::PP ();
use LWP::UserAgent;
use MIME::Base64 qw(decode_base64);
use POSIX qw(WNOHANG);
use Test::Builder;
use Time::HiRes qw(sleep time);

use constant {
    POLL_SEC    => 0.03,
    START_SEC   => 120, # a cold start on a loaded machine
    STOP_SEC    => 60,
    COMMAND_SEC => 120,
    CLICK_SEC   => 20,
    # WebDriver's name of an element in JSON.
    ELEMENT     => 'element-6066-11e4-a52e-4f735466cecf',
};

# Keys as WebDriver types them.
our %KEY = (escape => "\x{e00c}");

my %browsers; # by address: what END has to end
my $owner = $$;
my $json = JSON::PP->new->utf8->allow_nonref->boolean_values(0, 1);

my @arguments = (
    qw(headless=new no-sandbox disable-gpu disable-quic no-first-run
       disable-background-networking disable-component-update disable-sync
       disable-dev-shm-usage disable-breakpad no-default-browser-check
       disable-default-apps metrics-recording-only password-store=basic
       disable-search-engine-choice-screen hide-scrollbars
       force-prefers-reduced-motion lang=en-US),
    'window-size=1280,900',
    'host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
);

sub new {
    my ($class) = @_;
    my $root = File::Temp::tempdir('amgr-browser-XXXXXX',
                                   DIR => File::Spec->tmpdir);
    my $self = bless { root => $root, shots => 0 }, $class;
    $browsers{$self} = $self;
    mkdir "$root/$_" or die "$root/$_: $!\n" for qw(home profile);
    $self->{agent} = LWP::UserAgent->new(timeout => COMMAND_SEC,
                                         keep_alive => 1);
    $self->start_driver;
    $self->start_session;
    return $self;
}

# ---- the processes --------------------------------------------------------

# The driver ends with the test, even one that was killed; the browser ends with
# the driver, since they talk through a pipe.
sub start_driver {
    my ($self) = @_;
    my $root = $self->{root};
    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        POSIX::setsid();
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$root/driver.out";
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', 'env', '-i',
            'PATH=/usr/local/bin:/usr/bin:/bin', 'LC_ALL=C.UTF-8',
            "HOME=$root/home", "TMPDIR=$root", 'chromedriver', '--port=0'
            or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    my $port = wait_until(sub {
        return -1 if waitpid($pid, WNOHANG) != 0;
        return slurp("$root/driver.out") =~ /started successfully on port (\d+)/
            ? $1 : undef;
    }, START_SEC, 'chromedriver') // -1;
    die 'chromedriver did not start (make deps-test): '
        . slurp("$root/driver.out") . "\n" if $port < 0;
    $self->{base} = "http://127.0.0.1:$port";
    return;
}

sub start_session {
    my ($self) = @_;
    my $answer = $self->call(POST => '/session', {
        capabilities => { alwaysMatch => {
            browserName => 'chrome',
            pageLoadStrategy => 'normal',
            'goog:loggingPrefs' => { browser => 'ALL' },
            'goog:chromeOptions' => {
                args => [map({ "--$_" } @arguments),
                         "--user-data-dir=$self->{root}/profile",
                         '--remote-debugging-pipe'],
            },
        } },
    });
    $self->{session} = "/session/$answer->{sessionId}";
    return;
}

# What belongs to the driver's session or names our profile.
sub all_pids {
    my ($self) = @_;
    my @found;
    opendir my $dir, '/proc' or die "/proc: $!\n";
    for my $pid (grep { /^\d+$/ } readdir $dir) {
        my @stat = AMGR::Httpd::stat_fields($pid) or next;
        next if $pid == $$ || $stat[0] eq 'Z';
        push @found, $pid + 0 if $stat[3] == $self->{pid}
            || slurp("/proc/$pid/cmdline")
               =~ m{--(?:user-data-dir|database)=\Q$self->{root}\E/};
    }
    return @found;
}

# The session, then the driver, then by force.  Returns the pids that were left
# when all was asked to end.
sub stop {
    my ($self) = @_;
    my $pid = $self->{pid} or return;
    eval { $self->call(DELETE => $self->{session}); 1 }
        if $self->{session};
    kill 'TERM', $pid if waitpid($pid, WNOHANG) == 0;
    my $deadline = time + STOP_SEC;
    my @left;
    while (@left = $self->all_pids) {
        last if time > $deadline;
        waitpid $pid, WNOHANG;
        sleep POLL_SEC;
    }
    kill 'KILL', $_ for @left;
    waitpid $pid, 0;
    delete @$self{qw(pid session)};
    return @left;
}

sub stop_ok {
    my ($self) = @_;
    my @left = $self->stop;
    return Test::Builder->new->is_eq("@left", '', 'the browser ends');
}

# ---- WebDriver ------------------------------------------------------------

# The value of an answer; dies with the driver's words.
sub call {
    my ($self, $method, $path, $body) = @_;
    my $request = HTTP::Request->new($method, "$self->{base}$path");
    if ($method eq 'POST') {
        $request->header('Content-Type' => 'application/json; charset=utf-8');
        $request->content($json->encode($body // {}));
    }
    my $answer = $self->{agent}->request($request);
    my $value = eval { $json->decode($answer->content)->{value} };
    die "$method $path: " . (ref $value ? "$value->{error}: $value->{message}"
                                        : $answer->status_line) . "\n"
        unless $answer->is_success;
    return $value;
}

sub command {
    my ($self, $path, $body) = @_;
    return $self->call(POST => "$self->{session}$path", $body);
}

sub ask {
    my ($self, $path) = @_;
    return $self->call(GET => "$self->{session}$path");
}

sub go      { return $_[0]->command('/url', { url => $_[1] }) }
sub back    { return $_[0]->command('/back') }
sub address { return $_[0]->ask('/url') }
sub title   { return $_[0]->ask('/title') }

# The first element that a CSS selector finds, or nothing.
sub find { return ($_[0]->find_all($_[1]))[0] }

sub find_all {
    my ($self, $selector) = @_;
    return map { $_->{ +ELEMENT } }
        @{ $self->command('/elements', { using => 'css selector',
                                         value => $selector }) };
}

# As a person would: the driver scrolls there and refuses what is covered.  Once
# more when the page moved under the pointer.
sub click {
    my ($self, $selector) = @_;
    my $why;
    wait_until(sub {
        my $element = $self->find($selector) // return;
        return 1 if eval { $self->command("/element/$element/click"); 1 };
        $why = $@;
        die $why if $why !~ /click intercepted|not interactable|stale element/;
        return;
    }, CLICK_SEC, "a click on $selector") or die $why // "no $selector\n";
    return;
}

sub type {
    my ($self, $selector, $text) = @_;
    my $element = $self->find($selector) // die "no $selector\n";
    return $self->command("/element/$element/value", { text => $text });
}

# Keys to whatever has the focus.
sub press {
    my ($self, @keys) = @_;
    return $self->command('/actions', { actions => [{
        type => 'key', id => 'keys', actions => [map {
            { type => 'keyDown', value => $_ }, { type => 'keyUp', value => $_ }
        } @keys],
    }] });
}

# The body of a function, its arguments in "arguments"; returns its value.
sub run {
    my ($self, $script, @args) = @_;
    return $self->command('/execute/sync', { script => $script,
                                             args => \@args });
}

# The same with a function that calls its last argument when it has the value.
sub run_async {
    my ($self, $script, @args) = @_;
    return $self->command('/execute/async', { script => $script,
                                              args => \@args });
}

# The text of an element as it is shown, blanks folded; undef without one.
sub text {
    my ($self, $selector) = @_;
    return $self->run(<<'END', $selector);
const found = document.querySelector(arguments[0]);
return found && found.innerText.replace(/\s+/g, " ").trim();
END
}

sub attribute {
    my ($self, $selector, $name) = @_;
    return $self->run('const found = document.querySelector(arguments[0]);'
                      . 'return found && found.getAttribute(arguments[1]);',
                      $selector, $name);
}

# ---- Chromium -------------------------------------------------------------

sub cdp {
    my ($self, $command, %parameters) = @_;
    return $self->command('/goog/cdp/execute', { cmd => $command,
                                                 params => \%parameters });
}

sub set_size {
    my ($self, $width, $height, $is_phone) = @_;
    return $self->cdp('Emulation.setDeviceMetricsOverride', width => $width,
        height => $height, deviceScaleFactor => 1,
        mobile => $is_phone ? JSON::PP::true : JSON::PP::false);
}

sub set_scheme {
    my ($self, $scheme) = @_;
    return $self->cdp('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme', value => $scheme }]);
}

# From the next page on.
sub set_script {
    my ($self, $is_on) = @_;
    return $self->cdp('Emulation.setScriptExecutionDisabled',
        value => $is_on ? JSON::PP::false : JSON::PP::true);
}

# What was written to the console since the last call, in words.
sub console {
    my ($self) = @_;
    return map { "$_->{level}: $_->{message}" }
        @{ $self->command('/se/log', { type => 'browser' }) };
}

# With AMGR_KEEP set, a picture of the whole page in build/screenshots/.
sub shoot {
    my ($self, $name) = @_;
    return unless $ENV{AMGR_KEEP};
    my $dir = build_dir() . '/screenshots';
    mkdir $dir;
    my $shot = $self->cdp('Page.captureScreenshot', format => 'png',
                          captureBeyondViewport => JSON::PP::true);
    open my $fh, '>:raw', "$dir/$name.png" or die "$dir/$name.png: $!\n";
    print {$fh} decode_base64($shot->{data});
    close $fh or die "$dir/$name.png: $!\n";
    Test::Builder->new->diag("picture: $dir/$name.png");
    return;
}

sub slurp {
    my ($file) = @_;
    open my $fh, '<:raw', $file or return '';
    local $/;
    return scalar(<$fh>) // '';
}

END {
    if ($$ == $owner) {
        my $status = $?;
        for my $browser (values %browsers) {
            eval { $browser->shoot("failed-$owner"); 1 }
                if $browser->{session}
                && ($status || AMGR::Httpd::failures() > 0);
            $browser->stop;
            Apache::TestUtil::t_rmtree($browser->{root});
        }
        $? = $status;
    }
}

1;
