"""Sources without an end: what comes faster than it is used, gets lost and comes back, or is pushed in.

inbox   what waits between who reads and who perceives: the newest picture wins, sound is kept for 30 s
clock   a device's time against ours
stream  cameras and network streams, opened again when they are lost
pushed  pictures, sound and words that a program hands over
"""
