# SPDX-License-Identifier: GPL-2.0
"""What goes on beside a test."""

import threading

from lib.tap import same


class Threads:
    """Functions that run as long as the context lasts; each is called again and again."""

    def __init__(self, *functions):
        self.done = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.work, args=(function,))
                        for function in functions]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.done.set()
        for thread in self.threads:
            thread.join()
        same(self.errors, [], "errors of threads")

    def work(self, function):
        try:
            while not self.done.is_set():
                function()
        except Exception as error:	# told when all have ended
            self.errors.append(repr(error))
